//! Whether the bucket keeps what is overwritten and deleted.

use aws_sdk_s3::types::BucketVersioningStatus;

use super::unsaid;
use crate::objects::store::{ObjectStore, StoreError};

/// What becomes of an object that is overwritten or deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Versioning {
    /// It is gone.
    Off,
    /// It stays as an old version.
    On,
    /// It is gone; versions from before the suspension stay.
    Suspended,
}

impl ObjectStore {
    /// Whether the bucket keeps versions.
    ///
    /// # Errors
    /// [`StoreError::Refused`] where the store will not say.
    pub async fn versioning(&self) -> Result<Versioning, StoreError> {
        let call = self.client.get_bucket_versioning().bucket(self.bucket());
        let output = (self.timed("GetBucketVersioning", call.send()).await)
            .map_err(|error| unsaid("GetBucketVersioning", error))?;
        Ok(match output.status {
            Some(BucketVersioningStatus::Enabled) => Versioning::On,
            Some(BucketVersioningStatus::Suspended) => Versioning::Suspended,
            _ => Versioning::Off,
        })
    }
}
