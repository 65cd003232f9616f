//! Objects, as the store reports them.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::checksum::Checksum;
use super::encryption::FoundEncryption;
use super::headers::ObjectHeaders;

/// The user metadata key that names the upload whose URL wrote an object.
pub const UPLOAD_ID_METADATA: &str = "upload-id";

/// The response to a HEAD request, as far as a proof needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundObject {
    /// The size in bytes.
    pub size: u64,
    /// The ETag with its quotes, as S3 writes it.
    pub etag: String,
    /// The version id, in a versioned bucket.
    pub version_id: Option<String>,
    /// `Content-Type`, if the store returned one.
    pub content_type: Option<String>,
    /// The checksums that the store returned, each of the whole object or composite.
    pub checksums: Vec<Checksum>,
    /// Whether the store is known to check bytes against the checksum they are sent with. Otherwise
    /// it may just return what it was sent, and [`checksums`](Self::checksums) prove nothing.
    pub checksums_checked: bool,
    /// `Last-Modified`.
    pub last_modified: DateTime<Utc>,
    /// The upload whose URL wrote the object, according to its metadata.
    pub upload_id: Option<Uuid>,
    /// All user metadata, including the upload id.
    pub metadata: std::collections::BTreeMap<String, String>,
    /// The encryption at rest, if the store reports it.
    pub encryption: Option<FoundEncryption>,
    /// The other headers. A HEAD request does not return tags.
    pub headers: ObjectHeaders,
}

/// The object at the time of its proof. It is stored in the row of its upload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProvenObject {
    /// The size in bytes.
    pub size: u64,
    /// The ETag with its quotes, as S3 writes it.
    pub etag: String,
    /// The version id, in a versioned bucket.
    pub version_id: Option<String>,
    /// `Content-Type`, if the store returned one.
    pub content_type: Option<String>,
    /// The checksum that the store returned, of the declared algorithm if one was declared. `None`
    /// if the store is not known to check checksums.
    pub checksum: Option<Checksum>,
    /// `Last-Modified`.
    pub last_modified: DateTime<Utc>,
}

/// Whether two ETags are equal. Clients send them with and without quotes.
pub fn same_etag(one: &str, other: &str) -> bool {
    one.trim_matches('"') == other.trim_matches('"')
}
