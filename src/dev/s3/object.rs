//! What the index knows of an object.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use s3s::dto::{ETag, Timestamp};
use serde::{Deserialize, Serialize};

use super::bodies::BodyId;
use super::checksum::Checksum;

/// The record of one object. Kept as JSON: a field may join without a migration.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Object {
    pub body: BodyId,
    pub size: u64,
    /// Without quotes: hex MD5 of the bytes, or of the parts' MD5s with `-N`.
    pub etag: String,
    /// Milliseconds since 1970, as precise as S3's listings.
    pub modified_ms: u64,
    /// What the client declared, else CRC64NVME. Of the whole object, or composite.
    pub checksum: Checksum,
    pub about: About,
}

/// What the client said about the object, returned as it was given.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct About {
    pub content_type: Option<String>,
    pub content_encoding: Option<String>,
    pub content_disposition: Option<String>,
    pub content_language: Option<String>,
    pub cache_control: Option<String>,
    pub expires: Option<Timestamp>,
    pub storage_class: Option<String>,
    /// As in `x-amz-tagging`: `k=v&k2=v2`.
    pub tagging: Option<String>,
    pub metadata: BTreeMap<String, String>,
    /// `AES256` where it was asked for. It is told again, and nothing is done: the bytes lie on the
    /// disk of whoever develops.
    pub server_side_encryption: Option<String>,
}

impl Object {
    /// Whether it came in parts.
    pub(super) fn is_multipart(&self) -> bool {
        self.etag.contains('-')
    }

    pub(super) fn e_tag(&self) -> ETag {
        ETag::Strong(self.etag.clone())
    }

    pub(super) fn last_modified(&self) -> Timestamp {
        from_millis(self.modified_ms).into()
    }

    /// HTTP dates have whole seconds, so comparisons with one do too.
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

/// The time that a change is stamped with.
#[expect(
    clippy::disallowed_methods,
    reason = "a store stamps real time, as S3 does: its clients' Clock is not its own, and s3s judges expiry by real time"
)]
pub(super) fn now() -> SystemTime {
    SystemTime::now()
}
