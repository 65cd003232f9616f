//! What the store says of an object.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::checksum::Checksum;
use super::encryption::FoundEncryption;
use super::headers::ObjectHeaders;

/// The user metadata key that binds an object to the upload whose URL wrote it.
pub const UPLOAD_ID_METADATA: &str = "upload-id";

/// The answer to a HEAD, as far as a proof needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundObject {
    /// Bytes.
    pub size: u64,
    /// With its quotes, as S3 writes it.
    pub etag: String,
    /// In a versioned bucket.
    pub version_id: Option<String>,
    /// `Content-Type`, where the store returned one.
    pub content_type: Option<String>,
    /// The checksums that the store returned: of the whole object, or a composite one.
    pub checksums: Vec<Checksum>,
    /// Whether the store is known to hold bytes against the checksum they are sent with. Where it
    /// is not, it may return what it was sent, and [`checksums`](Self::checksums) prove nothing.
    pub checksums_checked: bool,
    /// `Last-Modified`.
    pub last_modified: DateTime<Utc>,
    /// The upload whose URL wrote the object, by its metadata.
    pub upload_id: Option<Uuid>,
    /// All user metadata, the upload id among it.
    pub metadata: std::collections::BTreeMap<String, String>,
    /// How it is encrypted at rest, where the store says so.
    pub encryption: Option<FoundEncryption>,
    /// Its other headers. A HEAD does not show tags.
    pub headers: ObjectHeaders,
}

/// The object as it was when the upload was proven; stored with the row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProvenObject {
    /// Bytes.
    pub size: u64,
    /// With its quotes, as S3 writes it.
    pub etag: String,
    /// In a versioned bucket.
    pub version_id: Option<String>,
    /// `Content-Type`, where the store returned one.
    pub content_type: Option<String>,
    /// The checksum that the store returned: the declared algorithm's where there was one; `None`
    /// from a store that is not known to check them.
    pub checksum: Option<Checksum>,
    /// `Last-Modified`.
    pub last_modified: DateTime<Utc>,
}

/// Whether two ETags name the same bytes; clients send them with and without quotes.
pub fn same_etag(one: &str, other: &str) -> bool {
    one.trim_matches('"') == other.trim_matches('"')
}
