//! The JSON of an upload.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::multipart::Multipart;
use crate::domain;
use crate::http::extract::base::Base;
use crate::http::openapi::schemas;
use crate::http::wire::{Checksum, Time, Verification};
use crate::usecases::{Session, SignedPut, Urls};

/// An upload session.
#[derive(Clone, Serialize, ToSchema)]
#[schema(example = crate::http::openapi::examples::upload)]
pub struct Upload {
    /// UUIDv7.
    pub id: Uuid,
    /// Where it is in its life.
    #[schema(schema_with = schemas::status)]
    pub status: &'static str,
    /// With its leading slash.
    pub path: String,
    /// A name for people.
    pub name: String,
    /// A note for people.
    #[schema(required = true)]
    pub comments: Option<String>,
    /// Kept by the broker, not by S3.
    pub metadata: BTreeMap<String, String>,
    /// As declared.
    pub content_type: String,
    /// Bytes, as declared.
    #[schema(required = true)]
    pub size: Option<u64>,
    /// As declared.
    #[schema(required = true)]
    pub checksum: Option<Checksum>,
    /// `s3://bucket/key`.
    pub s3_url: String,
    /// When the session was made.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Time,
    /// When it last changed.
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Time,
    /// When the session ends: without an acknowledge by then, and a while after it, it expires.
    /// URLs end by themselves, at the latest with this.
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: Time,
    /// When the object was proven.
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    pub uploaded_at: Option<Time>,
    /// Why it is in `Error`, or what was found when it expired.
    #[schema(required = true)]
    pub error: Option<Failure>,
    /// The object, as it was when it was proven.
    #[schema(required = true)]
    pub object: Option<ProvenObject>,
    /// How it was proven.
    #[schema(required = true)]
    pub verification: Option<Verification>,
    /// What became of the object since it was proven, as far as the broker noticed: null where it
    /// still stands.
    #[schema(required = true)]
    pub drift: Option<Drifted>,
    /// Where to PUT the bytes. Null where the answer carries no fresh URL.
    #[schema(required = true)]
    pub upload: Option<Put>,
    /// How the bytes come in parts. Null where they come in a single PUT.
    #[schema(required = true)]
    pub multipart: Option<Multipart>,
}

/// A change of a proven object behind the broker's back.
#[derive(Clone, Serialize, ToSchema)]
pub struct Drifted {
    /// `missing`, or `replaced` by other bytes.
    #[schema(value_type = String, example = "replaced")]
    pub kind: &'static str,
    /// When it was noticed.
    #[schema(value_type = String, format = DateTime)]
    pub at: Time,
}

/// A pre-signed PUT. The URL is a credential: keep it secret.
#[derive(Clone, Serialize, ToSchema)]
pub struct Put {
    /// `PUT`.
    pub method: &'static str,
    /// Where to.
    #[schema(format = "uri")]
    pub url: String,
    /// Send exactly these with it; they are signed.
    pub headers: BTreeMap<&'static str, String>,
    /// When the URL stops working.
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: Time,
}

/// Why an upload failed.
#[derive(Clone, Serialize, ToSchema)]
pub struct Failure {
    /// A problem code: `/problems/{code}` explains it.
    #[schema(example = "object-mismatch")]
    pub code: String,
    /// For people.
    pub detail: String,
}

/// The object, as it was when the upload was proven.
#[derive(Clone, Serialize, ToSchema)]
pub struct ProvenObject {
    /// Bytes.
    pub size: u64,
    /// With its quotes, as S3 writes it.
    pub etag: String,
    /// In a versioned bucket.
    #[schema(required = true)]
    pub version_id: Option<String>,
    /// Where the store returned one.
    #[schema(required = true)]
    pub content_type: Option<String>,
    /// Where the store returned one.
    #[schema(required = true)]
    pub checksum: Option<Checksum>,
    /// When the store took it.
    #[schema(value_type = String, format = DateTime)]
    pub last_modified: Time,
}

impl Upload {
    /// A session with its URLs, for a client that reaches us by `base`.
    pub fn of(session: Session, base: &Base) -> Self {
        let mut upload = Self::from(session.upload);
        match session.urls {
            None => {}
            Some(Urls::Put(put)) => upload.upload = Some(put.into()),
            Some(Urls::Parts(parts)) => {
                let id = upload.id;
                let multipart = upload.multipart;
                upload.multipart = multipart.map(|multipart| multipart.with(id, *parts, base));
            }
        }
        upload
    }
}

impl From<domain::upload::Upload> for Upload {
    fn from(upload: domain::upload::Upload) -> Self {
        Self {
            id: upload.id,
            status: upload.status.as_str(),
            path: upload.path.as_str().to_owned(),
            s3_url: upload.s3_url(),
            name: upload.name,
            comments: upload.comments,
            metadata: upload.metadata,
            checksum: upload.declared.checksum.as_ref().map(Into::into),
            content_type: upload.declared.content_type,
            size: upload.declared.size,
            created_at: upload.created_at.into(),
            updated_at: upload.updated_at.into(),
            expires_at: upload.expires_at.into(),
            uploaded_at: upload.uploaded_at.map(Into::into),
            error: upload.error.map(|failure| Failure {
                code: failure.code,
                detail: failure.detail,
            }),
            object: upload.object.map(Into::into),
            verification: upload.verification.map(Into::into),
            drift: upload.drift.map(|drift| Drifted {
                kind: drift.kind.as_str(),
                at: drift.at.into(),
            }),
            upload: None,
            multipart: upload.multipart.as_ref().map(Into::into),
        }
    }
}

impl From<domain::object::ProvenObject> for ProvenObject {
    fn from(object: domain::object::ProvenObject) -> Self {
        Self {
            size: object.size,
            etag: object.etag,
            version_id: object.version_id,
            content_type: object.content_type,
            checksum: object.checksum.as_ref().map(Into::into),
            last_modified: object.last_modified.into(),
        }
    }
}

impl From<SignedPut> for Put {
    fn from(put: SignedPut) -> Self {
        Self {
            method: "PUT",
            url: put.url,
            headers: put.headers.into_iter().collect(),
            expires_at: put.expires_at.into(),
        }
    }
}
