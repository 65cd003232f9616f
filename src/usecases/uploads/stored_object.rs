//! Requests to S3 about an upload, in the bucket that its row names.

use crate::domain::abilities::Ability;
use crate::domain::object::FoundObject;
use crate::domain::upload::{Multipart, Upload};
use crate::objects::multipart::UploadedPart;
use crate::usecases::context::Broker;
use crate::usecases::error::Result;

impl Broker {
    /// Reads the object at the key of an upload, with a HEAD.
    pub(in crate::usecases) async fn head_object(
        &self,
        upload: &Upload,
    ) -> Result<Option<FoundObject>> {
        let bucket = self.bucket(&upload.bucket).await?;
        Ok(bucket.objects.head(&upload.key).await?)
    }

    /// Whether the store is known to reject bytes that do not match the checksum they are sent
    /// with. Shortly after the first start, this waits until the store has been probed.
    pub(in crate::usecases) async fn checks_checksums(&self, upload: &Upload) -> Result<bool> {
        let bucket = self.bucket(&upload.bucket).await?;
        let known = bucket.objects.abilities();
        known.support(Ability::Checksums).await;
        known.support(Ability::HeadChecksums).await;
        Ok(known.current().returns_checked_checksums())
    }

    /// Lists all parts of an upload. Returns `None` if S3 has no such multipart upload.
    pub(in crate::usecases) async fn list_all_parts(
        &self,
        upload: &Upload,
        multipart: &Multipart,
    ) -> Result<Option<Vec<UploadedPart>>> {
        let bucket = self.bucket(&upload.bucket).await?;
        let id = &multipart.s3_upload_id;
        Ok(bucket.objects.all_parts(&upload.key, id).await?)
    }

    /// Aborts the multipart upload and removes its parts, so that they cannot be completed any
    /// more.
    pub(in crate::usecases) async fn abort_multipart_upload(
        &self,
        upload: &Upload,
        multipart: &Multipart,
    ) -> Result<()> {
        let bucket = self.bucket(&upload.bucket).await?;
        let id = &multipart.s3_upload_id;
        Ok(bucket.objects.abort_multipart(&upload.key, id).await?)
    }
}
