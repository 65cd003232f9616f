//! Cancel: the client takes its promise back.
//!
//! The row changes first: from then on nobody can acknowledge it. Then its parts go, and the
//! object, if it came already and is this upload's own; it would block its path for every
//! write-once URL. Where S3 fails at that, the upload is cancelled all the same, and the last look
//! of the janitor frees what stayed behind.

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
    async fn cancel(&self, upload: Upload) -> Result<Upload> {
        let arrow = Transition::Cancel;
        let Some(cancelled) = self
            .change_status(&upload, arrow, Changes::default())
            .await?
        else {
            let now = self.reload(&upload).await?;
            return Err(Refusal::wrong_status(now.id, now.status, arrow).into());
        };
        self.abort(&cancelled).await;
        if let Err(cause) = self.remove_own_object(&cancelled).await {
            log::warn!(
                "upload {} is cancelled, but S3 kept its object: {cause}",
                cancelled.id
            );
        }
        Ok(cancelled)
    }

    /// Removes the object at the key of `upload` if it is its own and no other upload counts on it;
    /// anything else is left alone.
    pub(in crate::usecases) async fn remove_own_object(&self, upload: &Upload) -> Result<()> {
        self.remove_own(upload, Upload::owns).await.map(drop)
    }
}
