//! CreateMultipartUpload.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_s3::types::{ChecksumAlgorithm, ChecksumType};

use super::error::invalid_response;
use crate::domain::checksum::Algorithm;
use crate::domain::encryption::Encryption;
use crate::domain::object::UPLOAD_ID_METADATA;
use crate::objects::sign::PutObject;
use crate::objects::store::{Answer, ObjectAttribute, ObjectStore, StoreError, answer, failed};

impl ObjectStore {
    /// Creates a multipart upload for `object`, and returns its id.
    ///
    /// The request has the attributes of the object: type, headers, tags, encryption and upload id.
    /// Length, checksum and precondition are sent when the upload is completed.
    ///
    /// `part_checksums` is required if parts are signed with checksums: AWS refuses the checksums
    /// of an algorithm that was not given here ("Checksum Type mismatch occurred"). Without it, a
    /// store that computes checksums computes CRC64NVME of the whole object; SHA-1 and SHA-256 are
    /// composite ("Checking object integrity", S3 user guide).
    ///
    /// # Errors
    /// The store does not answer, refuses the request, or does not support an attribute.
    pub async fn create_multipart(
        &self,
        object: &PutObject<'_>,
        part_checksums: Option<Algorithm>,
    ) -> Result<String, StoreError> {
        let none = BTreeMap::new();
        self.create_multipart_with(object, &none, part_checksums)
            .await
    }

    /// As [`create_multipart`](Self::create_multipart), with user `metadata` in addition to the
    /// upload id.
    pub async fn create_multipart_with(
        &self,
        object: &PutObject<'_>,
        metadata: &BTreeMap<String, String>,
        part_checksums: Option<Algorithm>,
    ) -> Result<String, StoreError> {
        let mut metadata: HashMap<_, _> = metadata.clone().into_iter().collect();
        metadata.insert(UPLOAD_ID_METADATA.to_owned(), object.upload_id.to_owned());
        let encryption = object.encryption;
        let own = |text: Option<&str>| text.map(str::to_owned);
        let call = (self.client.create_multipart_upload())
            .bucket(self.bucket())
            .key(object.key)
            .content_type(object.content_type)
            .set_metadata(Some(metadata))
            .set_cache_control(own(object.cache_control))
            .set_content_disposition(own(object.content_disposition))
            .set_content_encoding(own(object.content_encoding))
            .set_content_language(own(object.content_language))
            .set_storage_class(object.storage_class.map(Into::into))
            .set_tagging(own(object.tagging))
            .set_server_side_encryption(encryption.map(|asked| asked.algorithm().into()))
            .set_ssekms_key_id(own(encryption.and_then(Encryption::key_id)))
            .set_bucket_key_enabled(encryption.and_then(Encryption::bucket_key))
            .set_checksum_algorithm(part_checksums.map(algorithm))
            .set_checksum_type(part_checksums.map(kind));
        let created = self.timed("CreateMultipartUpload", call.send()).await;
        let output = created.map_err(|error| {
            let answer = answer(&error);
            match answer.and_then(|answer| unsupported_attribute(answer, object, part_checksums)) {
                Some(unsupported) => unsupported,
                None => failed("CreateMultipartUpload", error),
            }
        })?;
        (output.upload_id.filter(|id| !id.is_empty()))
            .ok_or_else(|| invalid_response("CreateMultipartUpload", "the answer has no upload id"))
    }
}

/// Finds the attribute that the client has chosen and the store does not support. AWS has specific
/// codes for these ("List of error codes", S3 API reference). Other stores are less specific; then
/// it is assumed to be the most unusual attribute.
fn unsupported_attribute(
    answer: Answer,
    object: &PutObject<'_>,
    part_checksums: Option<Algorithm>,
) -> Option<StoreError> {
    let code = answer.code.as_str();
    let names = |word| code.to_ascii_lowercase().contains(word);
    let is_vague = matches!(
        code,
        "" | "InvalidArgument" | "InvalidRequest" | "NotImplemented"
    ) && matches!(answer.status, 400 | 501);
    let attribute = match code {
        "InvalidStorageClass" => ObjectAttribute::StorageClass,
        "InvalidTag" => ObjectAttribute::Tags,
        _ if part_checksums.is_some() && (names("checksum") || names("algorithm")) => {
            ObjectAttribute::PartChecksums
        }
        _ if !is_vague => return None,
        _ if object.tagging.is_some() => ObjectAttribute::Tags,
        _ if object.storage_class.is_some() => ObjectAttribute::StorageClass,
        _ if part_checksums.is_some() => ObjectAttribute::PartChecksums,
        _ => return None,
    };
    Some(StoreError::UnsupportedAttribute { attribute, answer })
}

/// The algorithm for the SDK.
pub(in crate::objects) fn algorithm(algorithm: Algorithm) -> ChecksumAlgorithm {
    match algorithm {
        Algorithm::Sha256 => ChecksumAlgorithm::Sha256,
        Algorithm::Sha1 => ChecksumAlgorithm::Sha1,
        Algorithm::Crc32 => ChecksumAlgorithm::Crc32,
        Algorithm::Crc32c => ChecksumAlgorithm::Crc32C,
        Algorithm::Crc64nvme => ChecksumAlgorithm::Crc64Nvme,
    }
}

/// Prefers checksums of the whole object, because only these prove its bytes.
fn kind(algorithm: Algorithm) -> ChecksumType {
    match algorithm {
        Algorithm::Sha256 | Algorithm::Sha1 => ChecksumType::Composite,
        Algorithm::Crc32 | Algorithm::Crc32c | Algorithm::Crc64nvme => ChecksumType::FullObject,
    }
}
