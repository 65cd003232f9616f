//! HEAD requests for objects.

use aws_sdk_s3::error::SdkError;
use aws_sdk_s3::operation::head_object::{HeadObjectError, HeadObjectOutput};
use aws_sdk_s3::types::{ChecksumMode, ChecksumType};
use aws_smithy_runtime_api::http::Response;
use chrono::{DateTime, Utc};

use super::store::{ObjectStore, StoreError, failed, refuses_header, status};
use crate::domain::abilities::{Ability, Support};
use crate::domain::checksum::{Algorithm, Checksum};
use crate::domain::encryption::FoundEncryption;
use crate::domain::headers::ObjectHeaders;
use crate::domain::object::{FoundObject, UPLOAD_ID_METADATA};

impl ObjectStore {
    /// Returns the object at `key` with its checksums; `None` if there is none.
    ///
    /// If the store refuses a request for checksums, the request is repeated without, and the store
    /// is no longer asked for checksums.
    ///
    /// # Errors
    /// The store does not answer, or refuses the request.
    pub async fn head(&self, key: &str) -> Result<Option<FoundObject>, StoreError> {
        let mode = match self.abilities.current().support(Ability::HeadChecksums) {
            Support::No => None,
            _ => Some(ChecksumMode::Enabled),
        };
        let with_checksums = mode.is_some();
        let answer = match self.send_head(key, mode).await {
            Err(error) if with_checksums && refuses_header(status(&error)) => {
                let plain = self.send_head(key, None).await;
                if is_answered(&plain) {
                    self.record(Ability::HeadChecksums, Support::No);
                }
                plain
            }
            answer => answer,
        };
        match answer {
            Ok(output) => Ok(Some(self.found(output))),
            Err(error) if status(&error) == Some(404) => Ok(None),
            Err(error) => Err(failed("HeadObject", error)),
        }
    }

    pub(super) async fn send_head(&self, key: &str, mode: Option<ChecksumMode>) -> Head {
        let call = (self.client.head_object())
            .bucket(self.bucket())
            .key(key)
            .set_checksum_mode(mode);
        self.timed("HeadObject", call.send()).await
    }

    fn found(&self, output: HeadObjectOutput) -> FoundObject {
        FoundObject {
            checksums_checked: self.abilities.current().returns_checked_checksums(),
            ..found(output)
        }
    }
}

/// The response to a HEAD request.
pub(super) type Head = Result<HeadObjectOutput, SdkError<HeadObjectError, Response>>;

/// Whether the store has answered which object is at the key, or that there is none.
fn is_answered(head: &Head) -> bool {
    match head {
        Ok(_) => true,
        Err(error) => status(error) == Some(404),
    }
}

pub(super) fn found(output: HeadObjectOutput) -> FoundObject {
    let checksums = checksums(&output);
    let key_id = output.ssekms_key_id;
    let encryption = (output.server_side_encryption).map(|algorithm| FoundEncryption {
        algorithm: algorithm.as_str().to_owned(),
        key_id,
    });
    let metadata = output.metadata.unwrap_or_default();
    let headers = ObjectHeaders {
        content_encoding: output.content_encoding,
        content_disposition: output.content_disposition,
        content_language: output.content_language,
        cache_control: output.cache_control,
        // AWS returns no header for the standard class, but some stores do.
        storage_class: (output.storage_class)
            .map(|class| class.as_str().to_owned())
            .filter(|class| class != "STANDARD"),
        ..ObjectHeaders::default()
    };
    FoundObject {
        size: (output
            .content_length
            .and_then(|size| u64::try_from(size).ok()))
        .unwrap_or_default(),
        etag: output.e_tag.unwrap_or_default(),
        version_id: output.version_id.filter(|version| version != "null"),
        content_type: output.content_type,
        checksums,
        checksums_checked: false,
        last_modified: output
            .last_modified
            .map(|time| timestamp(&time))
            .unwrap_or_default(),
        upload_id: metadata
            .get(UPLOAD_ID_METADATA)
            .and_then(|id| id.parse().ok()),
        metadata: metadata.into_iter().collect(),
        encryption,
        headers,
    }
}

/// Reads the checksums of the response. S3 writes composite ones with the number of parts.
fn checksums(output: &HeadObjectOutput) -> Vec<Checksum> {
    let is_composite = output.checksum_type == Some(ChecksumType::Composite);
    [
        (Algorithm::Sha256, &output.checksum_sha256),
        (Algorithm::Sha1, &output.checksum_sha1),
        (Algorithm::Crc64nvme, &output.checksum_crc64_nvme),
        (Algorithm::Crc32c, &output.checksum_crc32_c),
        (Algorithm::Crc32, &output.checksum_crc32),
    ]
    .into_iter()
    .filter_map(|(algorithm, value)| Checksum::parse(algorithm, value.as_deref()?).ok())
    // If a store omits the number of parts, a composite checksum is only recognizable by its type,
    // and cannot be compared.
    .filter(|checksum| checksum.is_composite() || !is_composite)
    .collect()
}

/// Converts a time, truncated to microseconds, which is the precision of Postgres.
pub(super) fn timestamp(time: &aws_smithy_types::DateTime) -> DateTime<Utc> {
    DateTime::from_timestamp(time.secs(), time.subsec_nanos() / 1_000 * 1_000).unwrap_or_default()
}
