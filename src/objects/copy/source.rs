//! The source of a copy.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// The characters that `x-amz-copy-source` does not encode ("CopyObject", S3 API reference:
/// URL-encoded).
const UNENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'/')
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// The object that is copied.
#[derive(Clone, Copy, Debug)]
pub struct CopySource<'a> {
    /// The key of the object.
    pub key: &'a str,
    /// The ETag with its quotes. The store refuses to copy an object with another ETag.
    pub etag: &'a str,
}

impl CopySource<'_> {
    /// The value of `x-amz-copy-source`: `bucket/key`, URL-encoded.
    pub(super) fn header(&self, bucket: &str) -> String {
        format!("{bucket}/{}", utf8_percent_encode(self.key, UNENCODED))
    }
}
