//! PutObject: a URL that writes one object, and only the declared one.
//!
//! S3 enforces everything that is signed here: it refuses other bytes, another size, another type
//! or a second write without asking the broker.

use std::borrow::Cow;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::error::Error;
use super::presign::PresignRequest;
use super::presigned::Presigned;
use super::signer::Signer;
use crate::domain::encryption::Encryption;
use crate::objects::credentials::Credentials;

/// The condition on an existing object at the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Precondition<'a> {
    /// `If-None-Match: *`: there must be no object, so the URL writes only once.
    Absent,
    /// `If-Match: etag`: the object must have this ETag, in quotes as S3 writes it.
    Matches(&'a str),
    /// No condition: any object is replaced.
    None,
}

/// The checksum that S3 compares with the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checksum<'a> {
    /// `x-amz-checksum-sha256`, `-sha1`, `-crc32`, `-crc32c` or `-crc64nvme`.
    pub header: &'static str,
    /// The value in base64.
    pub value: &'a str,
}

/// An object that a client may PUT. `None` omits a header.
#[derive(Debug, Clone, Copy)]
pub struct PutObject<'a> {
    /// The key of the object.
    pub key: &'a str,
    /// The media type.
    pub content_type: &'a str,
    /// The exact size in bytes.
    pub content_length: Option<u64>,
    /// The checksum of the bytes.
    pub checksum: Option<Checksum<'a>>,
    /// The condition that protects other objects from being overwritten.
    pub precondition: Precondition<'a>,
    /// The upload id, which is stored with the object as `x-amz-meta-upload-id`.
    pub upload_id: &'a str,
    /// `Cache-Control` of the object.
    pub cache_control: Option<&'a str>,
    /// `Content-Disposition` of the object.
    pub content_disposition: Option<&'a str>,
    /// `Content-Encoding` of the object.
    pub content_encoding: Option<&'a str>,
    /// `Content-Language` of the object.
    pub content_language: Option<&'a str>,
    /// The S3 name of the storage class, such as `STANDARD_IA`.
    pub storage_class: Option<&'a str>,
    /// The tags, form-encoded: `k=v&k2=v2`.
    pub tagging: Option<&'a str>,
    /// Encryption at rest.
    pub encryption: Option<&'a Encryption>,
}

impl<'a> PutObject<'a> {
    /// An object with a key, a type and an upload id, which is written only once, without other
    /// attributes.
    #[must_use]
    pub fn new(key: &'a str, content_type: &'a str, upload_id: &'a str) -> Self {
        Self {
            key,
            content_type,
            content_length: None,
            checksum: None,
            precondition: Precondition::Absent,
            upload_id,
            cache_control: None,
            content_disposition: None,
            content_encoding: None,
            content_language: None,
            storage_class: None,
            tagging: None,
            encryption: None,
        }
    }

    /// The signed headers in addition to `host`, in the order of their names.
    #[must_use]
    pub fn signed_headers(&self) -> Vec<(&'static str, Cow<'a, str>)> {
        let length = self.content_length.map(|bytes| bytes.to_string());
        let (if_match, if_none_match) = match self.precondition {
            Precondition::Absent => (None, Some("*")),
            Precondition::Matches(etag) => (Some(etag), None),
            Precondition::None => (None, None),
        };
        let checksum = self.checksum.map_or("", |checksum| checksum.header);
        let encryption = self.encryption;
        let bucket_key = encryption.and_then(Encryption::bucket_key);
        let bucket_key = bucket_key.map(|on| if on { "true" } else { "false" });
        let text = |value: Option<&'a str>| value.map(Cow::Borrowed);
        let sorted = [
            ("cache-control", text(self.cache_control)),
            ("content-disposition", text(self.content_disposition)),
            ("content-encoding", text(self.content_encoding)),
            ("content-language", text(self.content_language)),
            (CONTENT_LENGTH, length.map(Cow::Owned)),
            ("content-type", text(Some(self.content_type))),
            ("if-match", text(if_match)),
            ("if-none-match", text(if_none_match)),
            (checksum, text(self.checksum.map(|checksum| checksum.value))),
            ("x-amz-meta-upload-id", text(Some(self.upload_id))),
            (SSE, text(encryption.map(Encryption::algorithm))),
            (SSE_KEY, text(encryption.and_then(Encryption::key_id))),
            (SSE_BUCKET_KEY, text(bucket_key)),
            ("x-amz-storage-class", text(self.storage_class)),
            ("x-amz-tagging", text(self.tagging)),
        ];
        let mut headers = Vec::with_capacity(sorted.len());
        headers.extend(
            sorted
                .into_iter()
                .filter_map(|(name, value)| Some((name, value?))),
        );
        headers
    }
}

/// This header is signed if the size is declared, but it is not returned to the client: every
/// client sends it anyway, and a browser must not set it.
const CONTENT_LENGTH: &str = "content-length";
const SSE: &str = "x-amz-server-side-encryption";
const SSE_KEY: &str = "x-amz-server-side-encryption-aws-kms-key-id";
const SSE_BUCKET_KEY: &str = "x-amz-server-side-encryption-bucket-key-enabled";

/// A URL for a PUT, and the headers that the client must send with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PresignedPut<'a> {
    /// The URL and its expiry.
    pub presigned: Presigned,
    /// The signed headers except `host` and `content-length`, in the order of their names.
    pub headers: Vec<(&'static str, Cow<'a, str>)>,
}

impl Signer {
    /// Signs a URL that writes `object`, as often as its precondition allows. It is valid for
    /// `expires_in` seconds from `now`, but not longer than the credentials.
    ///
    /// # Errors
    /// As for [`Signer::presign`].
    pub fn put_object<'a>(
        &self,
        object: &PutObject<'a>,
        expires_in: u32,
        credentials: &Arc<Credentials>,
        now: DateTime<Utc>,
    ) -> Result<PresignedPut<'a>, Error> {
        let mut headers = object.signed_headers();
        let request = PresignRequest {
            method: "PUT",
            operation: Some("PutObject"),
            key: object.key,
            headers: &headers,
            query: &[],
            expires_in,
        };
        let presigned = self.presign(&request, credentials, now)?;
        headers.retain(|(name, _)| *name != CONTENT_LENGTH);
        Ok(PresignedPut { presigned, headers })
    }
}
