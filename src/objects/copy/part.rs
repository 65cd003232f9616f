//! UploadPartCopy: a part that is copied from a range of an existing object.

use std::time::Duration;

use aws_sdk_s3::error::ProvideErrorMetadata as _;

use super::outcome::Copied;
use super::source::CopySource;
use crate::domain::part_plan::Part;
use crate::objects::store::{ObjectStore, StoreError, failed, status};
use crate::objects::timeout::with_timeout;

/// The parameters of a part that is copied.
#[derive(Clone, Copy, Debug)]
pub struct CopyPart<'a> {
    /// The object that is copied.
    pub source: CopySource<'a>,
    /// The key of the new object.
    pub key: &'a str,
    /// The id of the multipart upload.
    pub upload_id: &'a str,
    /// The part number and the range of the source. The part must not be empty.
    pub part: Part,
    /// How long the call may take, with all its attempts.
    pub timeout: Duration,
}

impl ObjectStore {
    /// Copies a part.
    ///
    /// # Errors
    /// The store does not answer, or refuses the request.
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
            .copy_source(copy.source.header(self.bucket()))
            .copy_source_if_match(copy.source.etag)
            .copy_source_range(format!("bytes={offset}-{last}"))
            .customize()
            .config_override(with_timeout(copy.timeout))
            .send();
        match self.timed("UploadPartCopy", call).await {
            Ok(_) => Ok(Copied::Done),
            Err(error) => {
                match Copied::from_error(error.code().unwrap_or_default(), status(&error)) {
                    Some(copied) => Ok(copied),
                    None => Err(failed("UploadPartCopy", error)),
                }
            }
        }
    }
}
