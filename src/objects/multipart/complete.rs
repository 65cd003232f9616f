//! CompleteMultipartUpload: the parts become an object.

use std::time::Duration;

use aws_sdk_s3::config::{Builder, StalledStreamProtectionConfig};
use aws_sdk_s3::error::{ProvideErrorMetadata as _, SdkError};
use aws_sdk_s3::operation::complete_multipart_upload::{
    CompleteMultipartUploadError, CompleteMultipartUploadOutput,
};
use aws_sdk_s3::types::{ChecksumType, CompletedMultipartUpload, CompletedPart};
use aws_smithy_runtime_api::http::Response;
use aws_smithy_types::timeout::TimeoutConfig;

use super::parts::UploadedPart;
use super::{is_no_such_upload, senseless};
use crate::domain::abilities::{Ability, Support};
use crate::domain::checksum::{Algorithm, Checksum};
use crate::objects::sign::Precondition;
use crate::objects::store::{ObjectStore, StoreError, failed, status};

/// The code of bytes that have another checksum than the promised one.
const BAD_DIGEST: &str = "BadDigest";
/// What the store finds wrong with the parts, by its own codes ("List of error codes" and
/// "CompleteMultipartUpload", S3 API reference). The same call will fail again.
const REFUSALS: [&str; 6] = [
    BAD_DIGEST,
    "EntityTooLarge",
    "EntityTooSmall",
    "InvalidPart",
    "InvalidPartOrder",
    "InvalidRequest",
];

/// An upload to be completed.
#[derive(Clone, Copy, Debug)]
pub struct CompleteMultipart<'a> {
    /// The object's key.
    pub key: &'a str,
    /// The upload, as S3 calls it.
    pub upload_id: &'a str,
    /// Its parts, in the order of their numbers.
    pub parts: &'a [UploadedPart],
    /// The algorithm that the upload was created with: the parts' checksums are then repeated.
    pub part_checksums: Option<Algorithm>,
    /// The checksum of the whole object that the store is asked to hold the parts to, where it
    /// computes one of this algorithm. Some stores ignore it: HEAD tells what the object has.
    pub checksum: Option<&'a Checksum>,
    /// The guard against writing over something else; not sent to a store without conditional
    /// writes.
    pub precondition: Precondition<'a>,
    /// How long one attempt may take: S3 answers at once that it has begun, and needs minutes for
    /// large objects. All attempts together may take as long.
    pub timeout: Duration,
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Completion {
    /// The object is there.
    Done {
        /// With its quotes.
        etag: String,
        /// In a versioned bucket.
        version_id: Option<String>,
    },
    /// There is no such upload, or no longer: it may have been completed by a call whose answer
    /// was lost. HEAD tells.
    NoSuchUpload,
    /// Something else stands at the key, or not the version that was to be replaced. After a lost
    /// answer it may be this very upload's object: HEAD tells. The parts are still there.
    PreconditionFailed,
    /// Another write of the key was under way (409). S3 has the parts uploaded anew then.
    Conflict,
    /// The whole has another checksum than [`CompleteMultipart::checksum`]. Nothing was made.
    WrongChecksum,
    /// The parts do not make the object.
    Refused {
        /// S3's code: `InvalidPart`.
        code: &'static str,
    },
}

impl ObjectStore {
    /// Makes an object of the parts. Their sizes must add up: the store is told their sum and
    /// refuses where it finds another.
    ///
    /// A store that does not take the checksum of the whole is asked once more without it. A 200
    /// with an error in its body is that error; the SDK tries `InternalError` again, as it does
    /// lost connections.
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
            .config_override(patient(complete.timeout))
            .send();
        self.timed("CompleteMultipartUpload", call).await
    }
}

type Failed = SdkError<CompleteMultipartUploadError, Response>;

fn done(output: CompleteMultipartUploadOutput) -> Result<Completion, StoreError> {
    Ok(Completion::Done {
        etag: (output.e_tag).ok_or_else(|| senseless("CompleteMultipartUpload", "no ETag"))?,
        version_id: output.version_id.filter(|version| version != "null"),
    })
}

fn refused(complete: &CompleteMultipart<'_>, error: Failed) -> Result<Completion, StoreError> {
    match outcome(complete, &error) {
        Some(outcome) => Ok(outcome),
        None => Err(failed("CompleteMultipartUpload", error)),
    }
}

/// Whether the store may refuse the checksum of the whole, and not the parts: it has no code of its
/// own for that.
fn is_about_checksum(error: &Failed) -> bool {
    let code = error.code().unwrap_or_default();
    let is_known = code != "InvalidRequest" && REFUSALS.contains(&code);
    matches!(status(error), Some(200 | 400 | 405 | 501)) && !is_known && code != "InternalError"
}

/// What an error means, where it is an answer and not a fault. Its code says it where it is one of
/// S3's, as the status of such an error may be 200; the status says it for stores with other codes.
fn outcome(complete: &CompleteMultipart<'_>, error: &Failed) -> Option<Completion> {
    let (code, status) = (error.code().unwrap_or_default(), status(error));
    match (code, status) {
        ("PreconditionFailed", _) | (_, Some(412)) => Some(Completion::PreconditionFailed),
        // `If-Match` where nothing stands.
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
            let told = complete.part_checksums == Some(algorithm);
            (told && checksum.algorithm() == algorithm).then(|| checksum.value().to_owned())
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

/// Waits so long. S3 sends a blank now and then meanwhile, too few to count as a living stream.
pub(in crate::objects) fn patient(patience: Duration) -> Builder {
    let timeouts = TimeoutConfig::builder()
        .operation_attempt_timeout(patience)
        .operation_timeout(patience)
        .build();
    Builder::new()
        .timeout_config(timeouts)
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
}
