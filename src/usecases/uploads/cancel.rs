//! Cancels an upload.
//!
//! The row changes first: from then on the upload cannot be acknowledged. Then its parts are
//! removed, and its object, if it has already arrived and is the upload's own; the object would
//! block the path for every write-once URL. If S3 fails, the upload is cancelled nevertheless, and
//! the janitor's final check removes what remains.

use std::sync::Arc;

use uuid::Uuid;

use crate::domain::principal::Principal;
use crate::domain::refusal::Refusal;
use crate::domain::status::Transition;
use crate::domain::upload::Upload;
use crate::store::uploads::Changes;
use crate::usecases::context::Broker;
use crate::usecases::error::Result;
use crate::usecases::uploads::find;

/// Cancels a Pending upload.
pub async fn cancel(broker: &Arc<Broker>, principal: &Principal, id: Uuid) -> Result<Upload> {
    let mut connection = broker.connection().await?;
    let upload = find::by_id(&mut connection, principal, id).await?;
    drop(connection);
    let this = Arc::clone(broker);
    broker
        .tasks
        .run_to_end(async move { this.cancel(upload).await })
        .await
}

impl Broker {
    /// Cancels a Pending upload, and returns it as it is then.
    pub(in crate::usecases) async fn cancel(&self, upload: Upload) -> Result<Upload> {
        let transition = Transition::Cancel;
        let Some(cancelled) = self
            .change_status(&upload, transition, Changes::default())
            .await?
        else {
            let now = self.reload(&upload).await?;
            return Err(Refusal::wrong_status(now.id, now.status, transition).into());
        };
        self.abort(&cancelled).await;
        if let Err(cause) = self.remove_own_object(&cancelled).await {
            log::warn!(
                "upload {} is cancelled, but its object could not be removed: {cause}",
                cancelled.id
            );
        }
        Ok(cancelled)
    }

    /// Removes the object at the key of `upload` if it is the upload's own and no other upload
    /// relies on it. Other objects are kept.
    pub(in crate::usecases) async fn remove_own_object(&self, upload: &Upload) -> Result<()> {
        self.remove_own(upload, Upload::owns).await.map(drop)
    }
}
