//! UploadPartCopy: a part from a range of an object that is there already.

use std::time::Duration;

use aws_sdk_s3::error::ProvideErrorMetadata as _;

use super::{Copied, CopySource, refusal};
use crate::domain::part_plan::Part;
use crate::objects::multipart::patient;
use crate::objects::store::{ObjectStore, StoreError, failed, status};

/// A part that is copied.
#[derive(Clone, Copy, Debug)]
pub struct CopyPart<'a> {
    /// What is copied.
    pub source: CopySource<'a>,
    /// The key of the object to be.
    pub key: &'a str,
    /// The upload, as S3 calls it.
    pub upload_id: &'a str,
    /// Which part, and which bytes of the source. It is not empty.
    pub part: Part,
    /// How long the call may take with all its attempts.
    pub timeout: Duration,
}

impl ObjectStore {
    /// Copies a part.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn copy_part(&self, copy: &CopyPart<'_>) -> Result<Copied, StoreError> {
        let Part {
            number,
            offset,
            size,
        } = copy.part;
        let last = offset.saturating_add(size).saturating_sub(1);
        let call = (self.client.upload_part_copy())
            .bucket(self.bucket())
            .key(copy.key)
            .upload_id(copy.upload_id)
            .set_part_number(number.try_into().ok())
            .copy_source(self.source(copy.source.key))
            .copy_source_if_match(copy.source.etag)
            .copy_source_range(format!("bytes={offset}-{last}"))
            .customize()
            .config_override(patient(copy.timeout))
            .send();
        match self.timed("UploadPartCopy", call).await {
            Ok(_) => Ok(Copied::Done),
            Err(error) => match refusal(error.code().unwrap_or_default(), status(&error)) {
                Some(copied) => Ok(copied),
                None => Err(failed("UploadPartCopy", error)),
            },
        }
    }
}
