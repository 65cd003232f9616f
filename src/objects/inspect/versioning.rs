//! Whether the bucket keeps versions of objects that are overwritten or deleted.

use aws_sdk_s3::types::BucketVersioningStatus;

use super::error::refused_or_failed;
use crate::objects::store::{ObjectStore, StoreError};

/// What happens to an object that is overwritten or deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Versioning {
    /// The object is gone.
    Off,
    /// The object is kept as an old version.
    On,
    /// The object is gone. Versions from before the suspension are kept.
    Suspended,
}

impl ObjectStore {
    /// Returns whether the bucket keeps versions.
    ///
    /// # Errors
    /// [`StoreError::Refused`] if the store denies or lacks the operation.
    pub async fn versioning(&self) -> Result<Versioning, StoreError> {
        let call = self.client.get_bucket_versioning().bucket(self.bucket());
        let output = (self.timed("GetBucketVersioning", call.send()).await)
            .map_err(|error| refused_or_failed("GetBucketVersioning", error))?;
        Ok(match output.status {
            Some(BucketVersioningStatus::Enabled) => Versioning::On,
            Some(BucketVersioningStatus::Suspended) => Versioning::Suspended,
            _ => Versioning::Off,
        })
    }
}
