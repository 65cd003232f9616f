//! The JSON of parts.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain;
use crate::http::extract::base::Base;
use crate::http::openapi::schemas;
use crate::http::wire::Time;
use crate::usecases::uploads::parts::sign::{SignedPart, SignedParts};

/// How the bytes come in parts.
#[derive(Clone, Serialize, ToSchema)]
pub struct Multipart {
    /// Bytes of every part but the last; where the size is open, a size to begin with.
    #[schema(example = 16777216)]
    pub part_size: u64,
    /// How many parts. Null where the size is open.
    #[schema(required = true, example = 3)]
    pub part_count: Option<u32>,
    /// The algorithm of the checksum that every part is asked for with. Null where they have none.
    #[schema(schema_with = schemas::algorithm_or_null, required = true)]
    pub part_checksums: Option<&'static str>,
    /// The first 100 parts, where the answer carries fresh URLs and nothing has to be known of
    /// the parts first.
    pub parts: Vec<Part>,
    /// Where to ask for the parts behind those, by POST. Null where there are none, or where they
    /// are asked for one by one.
    #[schema(
        required = true,
        example = "/uploads/01955114-3a40-7c3e-9d2b-8f1f5f0c2a11/parts?from=101"
    )]
    pub next: Option<String>,
}

/// A part, and where it goes. The URL is a credential: keep it secret.
#[derive(Clone, Serialize, ToSchema)]
pub struct Part {
    /// From 1 on.
    #[schema(minimum = 1, maximum = 10000)]
    pub part_number: u32,
    /// Where its bytes begin. Null where the size of the upload is open.
    #[schema(required = true)]
    pub offset: Option<u64>,
    /// Bytes; signed.
    pub size: u64,
    /// Where to PUT them.
    #[schema(format = "uri")]
    pub url: String,
    /// Send exactly these with it; they are signed.
    pub headers: BTreeMap<&'static str, String>,
    /// When the URL stops working.
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: Time,
}

impl Multipart {
    /// Takes the parts that were signed; where one cannot be, the client asks for it later.
    pub fn with(mut self, upload: uuid::Uuid, signed: SignedParts, base: &Base) -> Self {
        let next = signed.next();
        self.next = next.map(|next| base.join(&format!("/uploads/{upload}/parts?from={next}")));
        self.parts = signed.filter_map(Result::ok).map(Part::from).collect();
        self
    }
}

impl From<&domain::upload::Multipart> for Multipart {
    fn from(multipart: &domain::upload::Multipart) -> Self {
        Self {
            part_size: multipart.part_size,
            part_count: multipart.part_count,
            part_checksums: multipart.part_checksums.map(|algorithm| algorithm.as_str()),
            parts: Vec::new(),
            next: None,
        }
    }
}

impl From<SignedPart> for Part {
    fn from(signed: SignedPart) -> Self {
        let checksum = signed.part.checksum.as_ref();
        let header =
            checksum.map(|checksum| (checksum.algorithm().header(), checksum.value().to_owned()));
        Self {
            part_number: signed.part.number,
            offset: signed.part.offset,
            size: signed.part.size,
            url: signed.url,
            headers: header.into_iter().collect(),
            expires_at: signed.expires_at.into(),
        }
    }
}
