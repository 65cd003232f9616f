//! PutObject: writes a file as an object in one request.

use std::fs::File;
use std::sync::Arc;

use aws_sdk_s3::error::{ProvideErrorMetadata as _, SdkError};
use aws_sdk_s3::operation::put_object::{PutObjectError, PutObjectOutput};
use aws_smithy_runtime_api::http::Response;

use super::body;
use super::retry::{retry, timeout};
use crate::domain::checksum::Algorithm;
use crate::domain::encryption::Encryption;
use crate::domain::object::UPLOAD_ID_METADATA;
use crate::objects::sign::{Precondition, PutObject};
use crate::objects::store::{ObjectStore, StoreError, failed, status};
use crate::objects::timeout::with_timeout;

/// The outcome of writing an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Written {
    /// The object exists.
    Done {
        /// The ETag with its quotes.
        etag: String,
        /// The version id, in a versioned bucket.
        version_id: Option<String>,
    },
    /// There is an object at the key that may not be replaced, or not the one that was to be
    /// replaced. After a lost answer that may be the written object itself; a HEAD request shows
    /// whether it is.
    PreconditionFailed,
    /// Another write of the key was in progress.
    Conflict,
    /// The bytes of the file do not match the declared checksum.
    WrongChecksum,
}

impl ObjectStore {
    /// Writes the first `size` bytes of `file` as `object`. Of the file, a chunk is in memory at a
    /// time.
    ///
    /// The precondition must be one that the store supports. A declared length must be `size`; it
    /// is not checked here, but when the object is proven.
    ///
    /// # Errors
    /// The store does not answer, or refuses the request.
    pub async fn put_file(
        &self,
        object: &PutObject<'_>,
        file: &Arc<File>,
        size: u64,
    ) -> Result<Written, StoreError> {
        retry(|| async move {
            match self.send_put(object, file, size).await {
                Ok(output) => Ok(Written::Done {
                    etag: output.e_tag.unwrap_or_default(),
                    version_id: output.version_id.filter(|version| version != "null"),
                }),
                Err(error) => match outcome(object, &error) {
                    Some(outcome) => Ok(outcome),
                    None => Err(failed("PutObject", error)),
                },
            }
        })
        .await
    }

    async fn send_put(
        &self,
        object: &PutObject<'_>,
        file: &Arc<File>,
        size: u64,
    ) -> Result<PutObjectOutput, PutError> {
        let own = |text: Option<&str>| text.map(str::to_owned);
        let (if_match, if_none_match) = match object.precondition {
            Precondition::Absent => (None, Some("*")),
            Precondition::Matches(etag) => (Some(etag), None),
            Precondition::None => (None, None),
        };
        let checksum = |algorithm: Algorithm| {
            let declared = object.checksum?;
            (declared.header == algorithm.header()).then(|| declared.value.to_owned())
        };
        let encryption = object.encryption;
        let call = (self.client.put_object())
            .bucket(self.bucket())
            .key(object.key)
            .content_type(object.content_type)
            .set_content_length(size.try_into().ok())
            .metadata(UPLOAD_ID_METADATA, object.upload_id)
            .set_if_match(own(if_match))
            .set_if_none_match(own(if_none_match))
            .set_checksum_sha256(checksum(Algorithm::Sha256))
            .set_checksum_sha1(checksum(Algorithm::Sha1))
            .set_checksum_crc32(checksum(Algorithm::Crc32))
            .set_checksum_crc32_c(checksum(Algorithm::Crc32c))
            .set_checksum_crc64_nvme(checksum(Algorithm::Crc64nvme))
            .set_cache_control(own(object.cache_control))
            .set_content_disposition(own(object.content_disposition))
            .set_content_encoding(own(object.content_encoding))
            .set_content_language(own(object.content_language))
            .set_storage_class(object.storage_class.map(Into::into))
            .set_tagging(own(object.tagging))
            .set_server_side_encryption(encryption.map(|asked| asked.algorithm().into()))
            .set_ssekms_key_id(own(encryption.and_then(Encryption::key_id)))
            .set_bucket_key_enabled(encryption.and_then(Encryption::bucket_key))
            .body(body::of_file(file, size))
            .customize()
            .config_override(with_timeout(timeout(size)))
            .send();
        self.timed("PutObject", call).await
    }
}

type PutError = SdkError<PutObjectError, Response>;

/// Interprets an error that is an outcome and not a fault.
fn outcome(object: &PutObject<'_>, error: &PutError) -> Option<Written> {
    let is_replacement = matches!(object.precondition, Precondition::Matches(_));
    match (error.code().unwrap_or_default(), status(error)) {
        ("PreconditionFailed", _) | (_, Some(412)) => Some(Written::PreconditionFailed),
        // `If-Match` without an object at the key.
        ("NoSuchKey", _) if is_replacement => Some(Written::PreconditionFailed),
        ("ConditionalRequestConflict" | "OperationAborted", _) => Some(Written::Conflict),
        ("BadDigest" | "XAmzContentChecksumMismatch", _) if object.checksum.is_some() => {
            Some(Written::WrongChecksum)
        }
        _ => None,
    }
}
