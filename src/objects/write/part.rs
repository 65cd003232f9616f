//! UploadPart: writes a file as the parts of a multipart upload, one after the other.

use std::fs::File;
use std::sync::Arc;

use aws_sdk_s3::primitives::ByteStream;
use bytes::Bytes;

use super::body;
use super::retry::{retry, timeout};
use crate::domain::checksum::Algorithm;
use crate::domain::part_plan::Part;
use crate::objects::multipart::checksum_algorithm;
use crate::objects::multipart::is_no_such_upload;
use crate::objects::store::{ObjectStore, StoreError, failed};
use crate::objects::timeout::with_timeout;

/// The multipart upload that parts are written to.
#[derive(Clone, Copy, Debug)]
pub struct WriteParts<'a> {
    /// The key of the object.
    pub key: &'a str,
    /// The id of the multipart upload.
    pub upload_id: &'a str,
    /// The checksum algorithm that the upload was created with, if any. The parts are then sent
    /// with checksums.
    pub part_checksums: Option<Algorithm>,
}

impl ObjectStore {
    /// Writes `parts` of `file`, in their order. One part is in memory at a time. Returns `false` if
    /// the multipart upload does not exist, or no longer.
    ///
    /// Parts that exist already are replaced. The object exists only after the upload is completed.
    ///
    /// # Errors
    /// The file is shorter than the parts, or the store does not answer or refuses a part.
    pub async fn put_parts(
        &self,
        upload: &WriteParts<'_>,
        parts: impl IntoIterator<Item = Part>,
        file: &Arc<File>,
    ) -> Result<bool, StoreError> {
        for part in parts {
            let range = part.offset..part.offset.saturating_add(part.size);
            let read = body::read(file, range).await;
            let bytes = read.map_err(|error| StoreError::Failed {
                operation: "UploadPart",
                answer: None,
                cause: error.into(),
            })?;
            let sent = retry(|| self.put_part(upload, part.number, bytes.clone()));
            if !sent.await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    async fn put_part(
        &self,
        upload: &WriteParts<'_>,
        number: u32,
        bytes: Bytes,
    ) -> Result<bool, StoreError> {
        let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        let call = (self.client.upload_part())
            .bucket(self.bucket())
            .key(upload.key)
            .upload_id(upload.upload_id)
            .set_part_number(number.try_into().ok())
            .set_content_length(size.try_into().ok())
            // The SDK computes it.
            .set_checksum_algorithm(upload.part_checksums.map(checksum_algorithm))
            .body(ByteStream::from(bytes))
            .customize()
            .config_override(with_timeout(timeout(size)))
            .send();
        match self.timed("UploadPart", call).await {
            Ok(_) => Ok(true),
            Err(error) if is_no_such_upload(&error) => Ok(false),
            Err(error) => Err(failed("UploadPart", error)),
        }
    }
}
