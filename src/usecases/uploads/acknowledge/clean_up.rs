//! What is left of an upload that ended while its parts were made an object.

use crate::domain::status::Status;
use crate::domain::upload::Upload;
use crate::store::uploads;
use crate::usecases::context::Broker;
use crate::usecases::error::Result;

impl Broker {
    /// The upload ended while its parts were made an object. Whoever cancelled it may have looked
    /// before that was there, so it goes now; and whose bytes it has replaced is noted.
    pub(in crate::usecases) async fn clean_up_if_ended(&self, upload: &Upload) {
        if upload.multipart.is_none() || upload.was_acknowledged() {
            return;
        }
        if upload.status == Status::Cancelled
            && let Err(cause) = self.remove_own_object(upload).await
        {
            log::warn!(
                "S3 keeps the object of upload {} until the janitor removes it: {cause}",
                upload.id
            );
        }
        if let Err(cause) = self.check_drift_at_key(upload).await {
            log::warn!(
                "whether upload {} has replaced a dataset is left to the next sweep: {cause}",
                upload.id
            );
        }
    }

    /// Notes what became of the datasets at the key of an upload.
    async fn check_drift_at_key(&self, upload: &Upload) -> Result<()> {
        let mut connection = self.connection().await?;
        let (bucket, key) = (&upload.bucket, &upload.key);
        let standing = uploads::find_acknowledged_at_key(&mut connection, bucket, key).await?;
        drop(connection);
        for dataset in standing {
            self.check_drift(dataset).await?;
        }
        Ok(())
    }
}
