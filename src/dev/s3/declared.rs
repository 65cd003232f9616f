//! Properties of the object that the headers of a PutObject declare, except the checksum. A multipart
//! upload declares the same properties when it is created, see [`as_put`].

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use s3s::dto::{CreateMultipartUploadInput, PutObjectInput, ServerSideEncryption, StreamingBlob};
use s3s::stream::ByteStream as _;
use s3s::{S3Result, s3_error};

use super::object::Attributes;
use super::tags;

/// The largest size of a single PUT or part: 5 GiB (S3 user guide, "Uploading objects").
const MAX_BYTES: u64 = 5 * 1024 * 1024 * 1024;
/// The largest size of the keys and values of user metadata together (S3 user guide, "Working with object
/// metadata").
const MAX_METADATA_BYTES: usize = 2048;

/// Returns the declared size of the body. Without a Content-Length, S3 returns 411.
pub(super) fn size(length: Option<i64>, body: Option<&StreamingBlob>) -> S3Result<u64> {
    let declared = match length {
        Some(length) => u64::try_from(length).ok(),
        None => {
            let body = body.and_then(|body| body.remaining_length().exact());
            body.and_then(|length| u64::try_from(length).ok())
        }
    };
    match declared {
        None => Err(s3_error!(
            MissingContentLength,
            "You must provide the Content-Length HTTP header."
        )),
        Some(size) if size > MAX_BYTES => Err(s3_error!(
            EntityTooLarge,
            "Your proposed upload exceeds the maximum allowed size"
        )),
        Some(size) => Ok(size),
    }
}

/// Parses `Content-MD5` to its sixteen bytes.
pub(super) fn md5(header: Option<&str>) -> S3Result<Option<[u8; 16]>> {
    let invalid = || s3_error!(InvalidDigest, "The Content-MD5 you specified was invalid.");
    let parse = |value: &str| STANDARD.decode(value).ok()?.try_into().ok();
    header
        .map(|value| parse(value).ok_or_else(invalid))
        .transpose()
}

/// Rejects headers that this server does not support, instead of ignoring them.
pub(super) fn reject_unsupported(input: &PutObjectInput) -> S3Result<()> {
    let encrypted = input.sse_customer_algorithm.is_some()
        || input.ssekms_key_id.is_some()
        || input.bucket_key_enabled.is_some()
        || input
            .server_side_encryption
            .as_ref()
            .is_some_and(|kind| kind.as_str() != ServerSideEncryption::AES256);
    let locked = input.object_lock_mode.is_some() || input.object_lock_legal_hold_status.is_some();
    if encrypted
        || locked
        || input.website_redirect_location.is_some()
        || input.write_offset_bytes.is_some()
    {
        return Err(s3_error!(
            NotImplemented,
            "A header you provided implies functionality that is not implemented"
        ));
    }
    Ok(())
}

/// Converts the creation of a multipart upload to the PutObject that declares the same properties.
pub(super) fn as_put(input: CreateMultipartUploadInput) -> PutObjectInput {
    PutObjectInput {
        bucket: input.bucket,
        key: input.key,
        content_type: input.content_type,
        content_encoding: input.content_encoding,
        content_disposition: input.content_disposition,
        content_language: input.content_language,
        cache_control: input.cache_control,
        expires: input.expires,
        storage_class: input.storage_class,
        tagging: input.tagging,
        metadata: input.metadata,
        sse_customer_algorithm: input.sse_customer_algorithm,
        ssekms_key_id: input.ssekms_key_id,
        server_side_encryption: input.server_side_encryption,
        bucket_key_enabled: input.bucket_key_enabled,
        object_lock_mode: input.object_lock_mode,
        object_lock_legal_hold_status: input.object_lock_legal_hold_status,
        website_redirect_location: input.website_redirect_location,
        ..PutObjectInput::default()
    }
}

impl Attributes {
    pub(super) fn of_put(input: &PutObjectInput) -> S3Result<Self> {
        let attributes = Self {
            content_type: input.content_type.clone(),
            content_encoding: input
                .content_encoding
                .as_deref()
                .and_then(remove_aws_chunked),
            content_disposition: input.content_disposition.clone(),
            content_language: input.content_language.clone(),
            cache_control: input.cache_control.clone(),
            expires: input.expires.clone(),
            storage_class: input
                .storage_class
                .as_ref()
                .map(|class| class.as_str().to_owned()),
            tagging: input.tagging.clone(),
            metadata: input
                .metadata
                .clone()
                .unwrap_or_default()
                .into_iter()
                .collect(),
            server_side_encryption: input
                .server_side_encryption
                .as_ref()
                .map(|kind| kind.as_str().to_owned()),
        };
        attributes.check()?;
        Ok(attributes)
    }

    /// # Errors
    /// The metadata is too large, or the tags are invalid.
    pub(super) fn check(&self) -> S3Result<()> {
        let bytes: usize = self
            .metadata
            .iter()
            .map(|(name, value)| name.len() + value.len())
            .sum();
        if bytes > MAX_METADATA_BYTES {
            return Err(s3_error!(
                MetadataTooLarge,
                "Your metadata headers exceed the maximum allowed metadata size"
            ));
        }
        tags::parse(self.tagging.as_deref().unwrap_or_default()).map(|_| ())
    }
}

/// Removes `aws-chunked` from a content encoding. It describes the transfer and not the object, so S3 does
/// not store it.
pub(super) fn remove_aws_chunked(encoding: &str) -> Option<String> {
    let kept: Vec<&str> = encoding
        .split(',')
        .map(str::trim)
        .filter(|token| *token != "aws-chunked")
        .collect();
    Some(kept.join(",")).filter(|encoding| !encoding.is_empty())
}
