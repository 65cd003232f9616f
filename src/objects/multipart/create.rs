//! CreateMultipartUpload.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_s3::types::{ChecksumAlgorithm, ChecksumType};

use super::senseless;
use crate::domain::checksum::Algorithm;
use crate::domain::encryption::Encryption;
use crate::domain::object::UPLOAD_ID_METADATA;
use crate::objects::sign::PutObject;
use crate::objects::store::{Answer, ObjectAttribute, ObjectStore, StoreError, answer, failed};

impl ObjectStore {
    /// Begins an upload of `object` in parts; the answer is S3's id of it.
    ///
    /// What the object carries is told now: type, headers, tags, encryption, the upload's id. Length, checksum
    /// and precondition are not: the store takes them at the completion.
    ///
    /// `part_checksums` is needed where parts shall be signed with checksums: AWS refuses those of
    /// an algorithm that was not told here ("Checksum Type mismatch occurred"). Without it a store
    /// that computes checksums computes CRC64NVME of the whole object by itself; SHA-1 and SHA-256
    /// are composite, of the parts' checksums ("Checking object integrity", S3 user guide).
    pub async fn create_multipart(
        &self,
        object: &PutObject<'_>,
        part_checksums: Option<Algorithm>,
    ) -> Result<String, StoreError> {
        let none = BTreeMap::new();
        self.create_multipart_with(object, &none, part_checksums)
            .await
    }

    /// The same of an object with user `metadata` beside the upload's id.
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
        let begun = self.timed("CreateMultipartUpload", call.send()).await;
        let output = begun.map_err(|error| {
            let answer = answer(&error);
            match answer.and_then(|answer| unfit(answer, object, part_checksums)) {
                Some(unfit) => unfit,
                None => failed("CreateMultipartUpload", error),
            }
        })?;
        (output.upload_id.filter(|id| !id.is_empty()))
            .ok_or_else(|| senseless("CreateMultipartUpload", "the answer has no upload id"))
    }
}

/// Where the client's own choice is what the store does not take. AWS has codes of their own for
/// these ("List of error codes", S3 API reference); other stores say less, and then it is what is
/// out of the ordinary.
fn unfit(
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

fn algorithm(algorithm: Algorithm) -> ChecksumAlgorithm {
    match algorithm {
        Algorithm::Sha256 => ChecksumAlgorithm::Sha256,
        Algorithm::Sha1 => ChecksumAlgorithm::Sha1,
        Algorithm::Crc32 => ChecksumAlgorithm::Crc32,
        Algorithm::Crc32c => ChecksumAlgorithm::Crc32C,
        Algorithm::Crc64nvme => ChecksumAlgorithm::Crc64Nvme,
    }
}

/// Of the whole object wherever the store can: only that proves its bytes.
fn kind(algorithm: Algorithm) -> ChecksumType {
    match algorithm {
        Algorithm::Sha256 | Algorithm::Sha1 => ChecksumType::Composite,
        Algorithm::Crc32 | Algorithm::Crc32c | Algorithm::Crc64nvme => ChecksumType::FullObject,
    }
}
