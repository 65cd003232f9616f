//! Cleans up after an upload that ended while its parts were being completed.

use crate::domain::status::Status;
use crate::domain::upload::Upload;
use crate::store::uploads;
use crate::usecases::context::Broker;
use crate::usecases::error::Result;

impl Broker {
    /// Cleans up if the upload ended while its parts were being completed. A cancel may have
    /// checked the key before the object was there, so the object is removed now. Drift of a
    /// dataset whose bytes it has replaced is recorded.
    pub(in crate::usecases) async fn clean_up_if_ended(&self, upload: &Upload) {
        if upload.multipart.is_none() || upload.was_acknowledged() {
            return;
        }
        if upload.status == Status::Cancelled
            && let Err(cause) = self.remove_own_object(upload).await
        {
            log::warn!(
                "the object of upload {} could not be removed and is left to the janitor: {cause}",
                upload.id
            );
        }
        if let Err(cause) = self.check_drift_at_key(upload).await {
            log::warn!(
                "cannot check whether upload {} has replaced a dataset; the next sweep will: {cause}",
                upload.id
            );
        }
    }

    /// Records drift of the datasets at the key of an upload.
    async fn check_drift_at_key(&self, upload: &Upload) -> Result<()> {
        let mut connection = self.connection().await?;
        let (bucket, key) = (&upload.bucket, &upload.key);
        let acknowledged = uploads::find_acknowledged_at_key(&mut connection, bucket, key).await?;
        drop(connection);
        for dataset in acknowledged {
            self.check_drift(dataset).await?;
        }
        Ok(())
    }
}
