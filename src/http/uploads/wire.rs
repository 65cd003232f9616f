//! The JSON of an upload.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::multipart::Multipart;
use crate::domain;
use crate::http::extract::base_path::BasePath;
use crate::http::openapi::schemas;
use crate::http::wire::{Checksum, Time, Verification};
use crate::usecases::{Session, SignedPut, Urls};

/// An upload session.
#[derive(Clone, Serialize, ToSchema)]
#[schema(example = crate::http::openapi::examples::upload)]
pub struct Upload {
    /// The id, a UUIDv7.
    pub id: Uuid,
    /// The status.
    #[schema(schema_with = schemas::status)]
    pub status: &'static str,
    /// The path with its leading slash.
    pub path: String,
    /// The display name.
    pub name: String,
    /// The note.
    #[schema(required = true)]
    pub comments: Option<String>,
    /// The metadata, which the broker stores and S3 does not.
    pub metadata: BTreeMap<String, String>,
    /// The declared content type.
    pub content_type: String,
    /// The declared size in bytes.
    #[schema(required = true)]
    pub size: Option<u64>,
    /// The declared checksum.
    #[schema(required = true)]
    pub checksum: Option<Checksum>,
    /// `s3://bucket/key`.
    pub s3_url: String,
    /// When the session was created.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Time,
    /// When it last changed.
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Time,
    /// When the session ends. An upload that is not acknowledged by then expires some time later.
    /// No URL is valid after this time; most end earlier.
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: Time,
    /// When the object was verified.
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    pub uploaded_at: Option<Time>,
    /// Why the status is `Error`, or what was found when the upload expired.
    #[schema(required = true)]
    pub error: Option<Failure>,
    /// The object as it was when it was verified.
    #[schema(required = true)]
    pub object: Option<ProvenObject>,
    /// How it was verified.
    #[schema(required = true)]
    pub verification: Option<Verification>,
    /// A later change of the object that the broker has noticed; null if there is none.
    #[schema(required = true)]
    pub drift: Option<Drifted>,
    /// The id of the upload whose object the dataset was made from; null if a client uploaded it.
    #[schema(required = true)]
    pub derived_from: Option<Uuid>,
    /// The pre-signed PUT; null if the response has no fresh URL.
    #[schema(required = true)]
    pub upload: Option<Put>,
    /// How to upload in parts; null if the upload is a single PUT.
    #[schema(required = true)]
    pub multipart: Option<Multipart>,
}

/// A change of a verified object that another program made.
#[derive(Clone, Serialize, ToSchema)]
pub struct Drifted {
    /// `missing`, or `replaced` if the object has other bytes.
    #[schema(schema_with = schemas::drift)]
    pub kind: &'static str,
    /// When the broker noticed it.
    #[schema(value_type = String, format = DateTime)]
    pub at: Time,
}

/// A pre-signed PUT. The URL is a credential: keep it secret.
#[derive(Clone, Serialize, ToSchema)]
pub struct Put {
    /// Always `PUT`.
    pub method: &'static str,
    /// The URL to PUT the bytes to.
    #[schema(format = "uri")]
    pub url: String,
    /// Send exactly these headers; they are signed.
    pub headers: BTreeMap<&'static str, String>,
    /// When the URL expires.
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: Time,
}

/// Why an upload failed.
#[derive(Clone, Serialize, ToSchema)]
pub struct Failure {
    /// A problem code, which `/problems/{code}` explains.
    #[schema(example = "object-mismatch")]
    pub code: String,
    /// A description for people.
    pub detail: String,
}

/// The object as it was when the upload was verified.
#[derive(Clone, Serialize, ToSchema)]
pub struct ProvenObject {
    /// The size in bytes.
    pub size: u64,
    /// The ETag with its quotes, as S3 returns it.
    pub etag: String,
    /// The version id, in a versioned bucket.
    #[schema(required = true)]
    pub version_id: Option<String>,
    /// The content type, if the store returned one.
    #[schema(required = true)]
    pub content_type: Option<String>,
    /// The checksum, if the store returned one.
    #[schema(required = true)]
    pub checksum: Option<Checksum>,
    /// When the store received it.
    #[schema(value_type = String, format = DateTime)]
    pub last_modified: Time,
}

impl Upload {
    /// Converts a session with its URLs. `base` is the start of every path in the response.
    pub fn of(session: Session, base: &BasePath) -> Self {
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
            derived_from: upload.derived_from,
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
