//! CompleteMultipartUpload: assembles an object from its parts.

use std::time::Duration;

use aws_sdk_s3::error::{ProvideErrorMetadata as _, SdkError};
use aws_sdk_s3::operation::complete_multipart_upload::{
    CompleteMultipartUploadError, CompleteMultipartUploadOutput,
};
use aws_sdk_s3::types::{ChecksumType, CompletedMultipartUpload, CompletedPart};
use aws_smithy_runtime_api::http::Response;

use super::error::{invalid_response, is_no_such_upload};
use super::parts::UploadedPart;
use crate::domain::abilities::{Ability, Support};
use crate::domain::checksum::{Algorithm, Checksum};
use crate::objects::sign::Precondition;
use crate::objects::store::{ObjectStore, StoreError, failed, status};
use crate::objects::timeout::with_timeout;

/// The code for bytes that do not match the given checksum.
const BAD_DIGEST: &str = "BadDigest";
/// The codes for invalid parts ("List of error codes" and "CompleteMultipartUpload", S3 API
/// reference). The same call will fail again.
const REFUSALS: [&str; 6] = [
    BAD_DIGEST,
    "EntityTooLarge",
    "EntityTooSmall",
    "InvalidPart",
    "InvalidPartOrder",
    "InvalidRequest",
];

/// The parameters of completing a multipart upload.
#[derive(Clone, Copy, Debug)]
pub struct CompleteMultipart<'a> {
    /// The key of the object.
    pub key: &'a str,
    /// The id of the multipart upload.
    pub upload_id: &'a str,
    /// The parts, in the order of their numbers.
    pub parts: &'a [UploadedPart],
    /// The checksum algorithm that the upload was created with, if any. The checksums of the parts
    /// are then sent again.
    pub part_checksums: Option<Algorithm>,
    /// The checksum of the whole object that the store must check, if it computes one with this
    /// algorithm. Some stores ignore it; a HEAD request shows the checksums of the object.
    pub checksum: Option<&'a Checksum>,
    /// The condition that protects other objects from being overwritten. It is not sent to a store
    /// without conditional writes.
    pub precondition: Precondition<'a>,
    /// How long one attempt may take. S3 starts its response at once, but needs minutes for large
    /// objects. All attempts together may take as long.
    pub timeout: Duration,
}

/// The outcome of completing a multipart upload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Completion {
    /// The object exists.
    Done {
        /// The ETag with its quotes.
        etag: String,
        /// The version id, in a versioned bucket.
        version_id: Option<String>,
    },
    /// The multipart upload does not exist, or no longer: it may have been completed by a call
    /// whose answer was lost. A HEAD request shows whether it was.
    NoSuchUpload,
    /// There is another object at the key, or not the version that was to be replaced. After a lost
    /// answer that object may be the one of this upload; a HEAD request shows whether it is. The
    /// parts still exist.
    PreconditionFailed,
    /// Another write of the key was in progress (409). S3 then requires that the parts are uploaded
    /// again.
    Conflict,
    /// The object would not match [`CompleteMultipart::checksum`], and was not created.
    WrongChecksum,
    /// The store refuses the parts.
    Refused {
        /// The error code of S3, such as `InvalidPart`.
        code: &'static str,
    },
}

impl ObjectStore {
    /// Assembles an object from its parts. The request has the total size of the parts, and the
    /// store refuses it if it finds another size.
    ///
    /// If the store does not accept the checksum of the whole object, the request is repeated
    /// without it. A response with status 200 and an error in its body counts as that error. The
    /// SDK retries `InternalError` and lost connections.
    ///
    /// # Errors
    /// The store does not answer, or refuses the request for other reasons than the parts.
    pub async fn complete_multipart(
        &self,
        complete: &CompleteMultipart<'_>,
    ) -> Result<Completion, StoreError> {
        let without = CompleteMultipart {
            checksum: None,
            ..*complete
        };
        match self.complete(complete).await {
            Ok(output) => done(output),
            Err(error) if complete.checksum.is_some() && is_about_checksum(&error) => {
                match self.complete(&without).await {
                    Ok(output) => done(output),
                    Err(error) => refused(&without, error),
                }
            }
            Err(error) => refused(complete, error),
        }
    }

    async fn complete(
        &self,
        complete: &CompleteMultipart<'_>,
    ) -> Result<CompleteMultipartUploadOutput, Failed> {
        let (if_match, if_none_match) = match complete.precondition {
            _ if self
                .abilities
                .current()
                .support(Ability::CompleteIfNoneMatch)
                == Support::No =>
            {
                (None, None)
            }
            Precondition::Absent => (None, Some("*".to_owned())),
            Precondition::Matches(etag) => (Some(etag.to_owned()), None),
            Precondition::None => (None, None),
        };
        let size: u64 = complete.parts.iter().map(|part| part.size).sum();
        let whole = |algorithm| {
            let checksum = complete
                .checksum
                .filter(|sum| sum.algorithm() == algorithm)?;
            Some(checksum.value().to_owned())
        };
        let call = (self.client.complete_multipart_upload())
            .bucket(self.bucket())
            .key(complete.key)
            .upload_id(complete.upload_id)
            .set_if_match(if_match)
            .set_if_none_match(if_none_match)
            .set_mpu_object_size(size.try_into().ok())
            .set_checksum_crc32(whole(Algorithm::Crc32))
            .set_checksum_crc32_c(whole(Algorithm::Crc32c))
            .set_checksum_crc64_nvme(whole(Algorithm::Crc64nvme))
            .set_checksum_type(complete.checksum.map(|_| ChecksumType::FullObject))
            .multipart_upload(listed(complete))
            .customize()
            .config_override(with_timeout(complete.timeout))
            .send();
        self.timed("CompleteMultipartUpload", call).await
    }
}

type Failed = SdkError<CompleteMultipartUploadError, Response>;

fn done(output: CompleteMultipartUploadOutput) -> Result<Completion, StoreError> {
    Ok(Completion::Done {
        etag: (output.e_tag)
            .ok_or_else(|| invalid_response("CompleteMultipartUpload", "no ETag"))?,
        version_id: output.version_id.filter(|version| version != "null"),
    })
}

fn refused(complete: &CompleteMultipart<'_>, error: Failed) -> Result<Completion, StoreError> {
    match outcome(complete, &error) {
        Some(outcome) => Ok(outcome),
        None => Err(failed("CompleteMultipartUpload", error)),
    }
}

/// Whether the store may have refused the checksum of the whole object and not the parts. There is
/// no specific code for that.
fn is_about_checksum(error: &Failed) -> bool {
    let code = error.code().unwrap_or_default();
    let is_known = code != "InvalidRequest" && REFUSALS.contains(&code);
    matches!(status(error), Some(200 | 400 | 405 | 501)) && !is_known && code != "InternalError"
}

/// Interprets an error that is an outcome and not a fault. A code of S3 takes precedence over the
/// status, which may be 200; the status is used for stores with other codes.
fn outcome(complete: &CompleteMultipart<'_>, error: &Failed) -> Option<Completion> {
    let (code, status) = (error.code().unwrap_or_default(), status(error));
    match (code, status) {
        ("PreconditionFailed", _) | (_, Some(412)) => Some(Completion::PreconditionFailed),
        // `If-Match` without an object at the key.
        ("NoSuchKey", _) if matches!(complete.precondition, Precondition::Matches(_)) => {
            Some(Completion::PreconditionFailed)
        }
        _ if is_no_such_upload(error) => Some(Completion::NoSuchUpload),
        ("ConditionalRequestConflict" | "OperationAborted", _) | (_, Some(409)) => {
            Some(Completion::Conflict)
        }
        (BAD_DIGEST, _) if complete.checksum.is_some() => Some(Completion::WrongChecksum),
        _ => (REFUSALS.into_iter())
            .find(|refusal| *refusal == code)
            .map(|code| Completion::Refused { code }),
    }
}

fn listed(complete: &CompleteMultipart<'_>) -> CompletedMultipartUpload {
    let parts = complete.parts.iter().map(|part| {
        let value = |algorithm| {
            let checksum = part.checksum.as_ref()?;
            let is_sent = complete.part_checksums == Some(algorithm);
            (is_sent && checksum.algorithm() == algorithm).then(|| checksum.value().to_owned())
        };
        CompletedPart::builder()
            .set_part_number(part.number.try_into().ok())
            .e_tag(&part.etag)
            .set_checksum_sha256(value(Algorithm::Sha256))
            .set_checksum_sha1(value(Algorithm::Sha1))
            .set_checksum_crc32(value(Algorithm::Crc32))
            .set_checksum_crc32_c(value(Algorithm::Crc32c))
            .set_checksum_crc64_nvme(value(Algorithm::Crc64nvme))
            .build()
    });
    CompletedMultipartUpload::builder()
        .set_parts(Some(parts.collect()))
        .build()
}
