//! The upload that an object names in its metadata.
//!
//! A copy of an object has the metadata of the original. So the metadata of an object is believed
//! only at the bucket and key that the upload was created for.

use uuid::Uuid;

use crate::domain::object::FoundObject;
use crate::domain::upload::Upload;
use crate::store::uploads;
use crate::usecases::context::Broker;
use crate::usecases::error::Result;

/// The upload that an object names.
pub(in crate::usecases) enum UploadInMetadata {
    /// No upload, or one with another bucket or key.
    None,
    /// An id without a row.
    UnknownId(Uuid),
    /// This upload, of any tenant.
    Upload(Box<Upload>),
}

impl UploadInMetadata {
    /// The upload.
    pub(in crate::usecases) fn upload(self) -> Option<Upload> {
        match self {
            Self::Upload(upload) => Some(*upload),
            Self::None | Self::UnknownId(_) => None,
        }
    }
}

impl Broker {
    /// The upload that the object at `key` names.
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
