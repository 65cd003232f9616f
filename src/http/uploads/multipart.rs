//! The JSON of multipart uploads.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain;
use crate::http::extract::base_path::BasePath;
use crate::http::openapi::schemas;
use crate::http::wire::Time;
use crate::usecases::uploads::parts::sign::{SignedPart, SignedParts};

/// How to upload in parts.
#[derive(Clone, Serialize, ToSchema)]
pub struct Multipart {
    /// The size in bytes of every part except the last. If the size of the upload is not known, it
    /// is the recommended size of the first parts.
    #[schema(example = 16777216)]
    pub part_size: u64,
    /// The number of parts; null if the size of the upload is not known.
    #[schema(required = true, example = 3)]
    pub part_count: Option<u32>,
    /// The algorithm of the part checksums; null if the parts have none.
    #[schema(schema_with = schemas::algorithm_or_null, required = true)]
    pub part_checksums: Option<&'static str>,
    /// The first 100 parts, if the response has fresh URLs and the parts need neither a size nor a
    /// checksum from the client.
    pub parts: Vec<Part>,
    /// The URL path to request the parts after those, by POST. Null if there are no more parts, or
    /// if each part has to be requested with its size or checksum.
    #[schema(
        required = true,
        example = "/uploads/01955114-3a40-7c3e-9d2b-8f1f5f0c2a11/parts?from=101"
    )]
    pub next: Option<String>,
}

/// A part and its pre-signed URL. The URL is a credential: keep it secret.
#[derive(Clone, Serialize, ToSchema)]
pub struct Part {
    /// The number of the part, from 1.
    #[schema(minimum = 1, maximum = 10000)]
    pub part_number: u32,
    /// The offset of its first byte; null if the size of the upload is not known.
    #[schema(required = true)]
    pub offset: Option<u64>,
    /// The size in bytes; it is signed.
    pub size: u64,
    /// The URL to PUT the part to.
    #[schema(format = "uri")]
    pub url: String,
    /// Send exactly these headers; they are signed.
    pub headers: BTreeMap<&'static str, String>,
    /// When the URL expires.
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: Time,
}

impl Multipart {
    /// Adds the parts that were signed. A part that could not be signed is omitted; the client
    /// requests it later.
    pub fn with(mut self, upload: uuid::Uuid, signed: SignedParts, base: &BasePath) -> Self {
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
