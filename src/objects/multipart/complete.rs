//! CompleteMultipartUpload: the parts become an object.

use std::time::Duration;

use aws_sdk_s3::config::{Builder, StalledStreamProtectionConfig};
use aws_sdk_s3::error::ProvideErrorMetadata as _;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};
use aws_smithy_types::timeout::TimeoutConfig;

use super::parts::UploadedPart;
use super::{NO_SUCH_UPLOAD, senseless};
use crate::domain::checksum::Algorithm;
use crate::objects::sign::Precondition;
use crate::objects::store::{ObjectStore, StoreError, failed};

/// What the store finds wrong with the parts, by its own codes ("List of error codes" and
/// "CompleteMultipartUpload", S3 API reference). The same call will fail again.
const REFUSALS: [&str; 6] = [
    "BadDigest",
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
    /// The guard against writing over something else; not sent to a store without conditional
    /// writes.
    pub precondition: Precondition<'a>,
    /// How long one attempt may take: S3 answers at once that it has begun, and needs minutes for
    /// large objects. All attempts together may take as long.
    pub patience: Duration,
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
    /// A 200 with an error in its body is that error; the SDK tries `InternalError` again, as it
    /// does lost connections.
    pub async fn complete_multipart(
        &self,
        complete: &CompleteMultipart<'_>,
    ) -> Result<Completion, StoreError> {
        let (if_match, if_none_match) = match complete.precondition {
            _ if !self.conditional_writes => (None, None),
            Precondition::Absent => (None, Some("*".to_owned())),
            Precondition::Matches(etag) => (Some(etag.to_owned()), None),
            Precondition::None => (None, None),
        };
        let size: u64 = complete.parts.iter().map(|part| part.size).sum();
        let call = (self.client.complete_multipart_upload())
            .bucket(self.bucket())
            .key(complete.key)
            .upload_id(complete.upload_id)
            .set_if_match(if_match)
            .set_if_none_match(if_none_match)
            .set_mpu_object_size(size.try_into().ok())
            .multipart_upload(listed(complete))
            .customize()
            .config_override(patient(complete.patience))
            .send();
        match self.timed("CompleteMultipartUpload", call).await {
            Ok(output) => Ok(Completion::Done {
                etag: (output.e_tag)
                    .ok_or_else(|| senseless("CompleteMultipartUpload", "no ETag"))?,
                version_id: output.version_id.filter(|version| version != "null"),
            }),
            Err(error) => match outcome(error.code().unwrap_or_default()) {
                Some(outcome) => Ok(outcome),
                None => Err(failed("CompleteMultipartUpload", error)),
            },
        }
    }
}

/// What an error means, where it is an answer and not a fault. By its code, not by the status:
/// that may be 200.
fn outcome(code: &str) -> Option<Completion> {
    match code {
        NO_SUCH_UPLOAD => Some(Completion::NoSuchUpload),
        // `If-Match` where nothing stands.
        "PreconditionFailed" | "NoSuchKey" => Some(Completion::PreconditionFailed),
        "ConditionalRequestConflict" | "OperationAborted" => Some(Completion::Conflict),
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
