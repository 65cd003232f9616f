//! The names of an upload in parts.

/// What an Uppy client knows an upload in parts by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UppySession {
    /// The S3 key.
    pub key: String,
    /// The upload id of S3.
    pub s3_upload_id: String,
}
