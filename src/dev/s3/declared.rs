//! What the headers of a PutObject declare of the object, other than its checksum. A multipart
//! upload declares the same at its creation, see [`as_put`].

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use s3s::dto::{CreateMultipartUploadInput, PutObjectInput, ServerSideEncryption, StreamingBlob};
use s3s::stream::ByteStream as _;
use s3s::{S3Result, s3_error};

use super::object::About;
use super::tags;

/// A single PUT or part takes 5 GiB at most (S3 user guide, "Uploading objects").
const MAX_BYTES: u64 = 5 * 1024 * 1024 * 1024;
/// Keys and values of user metadata together (S3 user guide, "Working with object metadata").
const MAX_METADATA_BYTES: usize = 2048;

/// Without a Content-Length S3 answers 411.
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

/// The sixteen bytes of `Content-MD5`.
pub(super) fn md5(header: Option<&str>) -> S3Result<Option<[u8; 16]>> {
    let invalid = || s3_error!(InvalidDigest, "The Content-MD5 you specified was invalid.");
    let parse = |value: &str| STANDARD.decode(value).ok()?.try_into().ok();
    header
        .map(|value| parse(value).ok_or_else(invalid))
        .transpose()
}

/// What would silently be dropped is refused instead.
pub(super) fn refuse_unsupported(input: &PutObjectInput) -> S3Result<()> {
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

/// The PutObject that would declare the same of its object.
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

impl About {
    pub(super) fn of_put(input: &PutObjectInput) -> S3Result<Self> {
        let about = Self {
            content_type: input.content_type.clone(),
            content_encoding: input
                .content_encoding
                .as_deref()
                .and_then(without_aws_chunked),
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
        about.check()?;
        Ok(about)
    }

    /// # Errors
    /// Too much metadata, or tags that are not tags.
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

/// `aws-chunked` is how the bytes travelled, not what they are: S3 does not keep it.
pub(super) fn without_aws_chunked(encoding: &str) -> Option<String> {
    let kept: Vec<&str> = encoding
        .split(',')
        .map(str::trim)
        .filter(|token| *token != "aws-chunked")
        .collect();
    Some(kept.join(",")).filter(|encoding| !encoding.is_empty())
}
