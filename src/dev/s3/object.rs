//! The record of an object in the index.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use s3s::dto::{ETag, Timestamp};
use serde::{Deserialize, Serialize};

use super::bodies::BodyId;
use super::checksum::Checksum;

/// The record of one object. It is stored as JSON, so that a field can be added without a migration.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Object {
    pub body: BodyId,
    pub size: u64,
    /// The ETag without quotes: the MD5 of the bytes in hexadecimal, or the MD5 of the MD5s of N parts,
    /// followed by `-N`.
    pub etag: String,
    /// The time of the last change in milliseconds since 1970, the precision of listings of S3.
    pub modified_ms: u64,
    /// The checksum that the client declared, otherwise a CRC64NVME. It is of the whole object or composite.
    pub checksum: Checksum,
    #[serde(rename = "about")]
    pub attributes: Attributes,
}

/// Properties of the object that the client declared, and that are returned unchanged.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Attributes {
    pub content_type: Option<String>,
    pub content_encoding: Option<String>,
    pub content_disposition: Option<String>,
    pub content_language: Option<String>,
    pub cache_control: Option<String>,
    pub expires: Option<Timestamp>,
    pub storage_class: Option<String>,
    /// The tags in the form of `x-amz-tagging`: `k=v&k2=v2`.
    pub tagging: Option<String>,
    pub metadata: BTreeMap<String, String>,
    /// `AES256` if the client requested it. It is only returned: the bytes are not encrypted, because they
    /// are on the disk of the developer.
    pub server_side_encryption: Option<String>,
}

impl Object {
    /// Returns whether the object was created by a multipart upload.
    pub(super) fn is_multipart(&self) -> bool {
        self.etag.contains('-')
    }

    pub(super) fn e_tag(&self) -> ETag {
        ETag::Strong(self.etag.clone())
    }

    pub(super) fn last_modified(&self) -> Timestamp {
        from_millis(self.modified_ms).into()
    }

    /// Returns the time of the last change in whole seconds, for comparisons with HTTP dates.
    pub(super) fn modified_second(&self) -> Timestamp {
        from_millis(self.modified_ms / 1000 * 1000).into()
    }
}

pub(super) fn from_millis(millis: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_millis(millis)
}

pub(super) fn to_millis(time: SystemTime) -> u64 {
    let since = time
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// Returns the current time, for the timestamp of a change.
#[expect(
    clippy::disallowed_methods,
    reason = "a store uses the real time, as S3 does, and s3s checks expiry against the real time; the Clock belongs to its clients"
)]
pub(super) fn now() -> SystemTime {
    SystemTime::now()
}
