//! What is read.

/// The object to read, as it was proven.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadObject {
    /// The key.
    pub key: String,
    /// The ETag with its quotes, as S3 writes it.
    pub etag: String,
    /// The version id, in a versioned bucket.
    pub version_id: Option<String>,
    /// The size in bytes.
    pub size: u64,
}
