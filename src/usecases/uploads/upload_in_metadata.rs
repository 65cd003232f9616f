//! Finds the upload that the metadata of an object names.
//!
//! A copy of an object has the metadata of the original. The metadata is therefore trusted only at
//! the bucket and key of the upload.

use uuid::Uuid;

use crate::domain::object::FoundObject;
use crate::domain::upload::Upload;
use crate::store::uploads;
use crate::usecases::context::Broker;
use crate::usecases::error::Result;

/// The upload in the metadata of an object.
pub(in crate::usecases) enum UploadInMetadata {
    /// The metadata names no upload, or one with another bucket or key.
    None,
    /// The metadata has the id of an upload without a row.
    UnknownId(Uuid),
    /// The upload, which may belong to any tenant.
    Upload(Box<Upload>),
}

impl UploadInMetadata {
    /// Returns the upload, if there is one.
    pub(in crate::usecases) fn upload(self) -> Option<Upload> {
        match self {
            Self::Upload(upload) => Some(*upload),
            Self::None | Self::UnknownId(_) => None,
        }
    }
}

impl Broker {
    /// Returns the upload in the metadata of the object at `key`.
    pub(in crate::usecases) async fn upload_in_metadata(
        &self,
        bucket: &str,
        key: &str,
        found: Option<&FoundObject>,
    ) -> Result<UploadInMetadata> {
        let Some(id) = found.and_then(|found| found.upload_id) else {
            return Ok(UploadInMetadata::None);
        };
        let mut connection = self.connection().await?;
        Ok(
            match uploads::find_in_any_tenant(&mut connection, id).await? {
                None => UploadInMetadata::UnknownId(id),
                Some(upload) if upload.is_at(bucket, key) => {
                    UploadInMetadata::Upload(Box::new(upload))
                }
                Some(_) => UploadInMetadata::None,
            },
        )
    }
}
