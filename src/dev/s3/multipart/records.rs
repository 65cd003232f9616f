//! The records of multipart uploads and of their parts, as the index stores them.

use s3s::S3Result;
use s3s::dto::ETag;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::super::bodies::BodyId;
use super::super::checksum::Checksum;
use super::super::errors::StoreError;
use super::super::object::Attributes;
use super::checksum_method::ChecksumMethod;

/// Identifies an upload. S3 looks an upload up by bucket, key and id together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::dev::s3) struct UploadKey {
    pub bucket: String,
    pub key: String,
    /// Increases with time, so that the uploads of one key are listed in the order of their creation.
    pub id: Uuid,
}

impl UploadKey {
    /// # Errors
    /// `NoSuchUpload` if `id` is not an id of this store.
    pub(in crate::dev::s3) fn of(bucket: &str, key: &str, id: &str) -> S3Result<Self> {
        Ok(Self {
            bucket: bucket.to_owned(),
            key: key.to_owned(),
            id: Uuid::try_parse(id).map_err(|_| StoreError::NoSuchUpload)?,
        })
    }
}

/// The record of one upload, stored as JSON.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in crate::dev::s3) struct Upload {
    pub initiated_ms: u64,
    /// The checksum that was named when the upload was created; otherwise a CRC64NVME of the whole
    /// object is computed.
    #[serde(rename = "sum")]
    pub checksum_method: Option<ChecksumMethod>,
    #[serde(rename = "about")]
    pub attributes: Attributes,
}

impl Upload {
    /// Returns how the checksum of the completed object is computed.
    pub(in crate::dev::s3) fn checksum_method(&self) -> ChecksumMethod {
        self.checksum_method.unwrap_or_default()
    }
}

/// The record of one part, stored as JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::dev::s3) struct Part {
    pub body: BodyId,
    pub size: u64,
    /// The MD5 of the bytes, which is also the ETag of the part.
    pub md5: [u8; 16],
    pub modified_ms: u64,
    /// The checksum that the client declared; otherwise one with the algorithm of the upload.
    pub checksum: Checksum,
}

impl Part {
    pub(in crate::dev::s3) fn e_tag(&self) -> ETag {
        ETag::Strong(hex::encode(self.md5))
    }
}
