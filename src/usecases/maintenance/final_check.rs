//! The final check of an upload that was deleted or cancelled, or that failed.
//!
//! The URL of such an upload may still be valid: its holder may PUT once more, and the new object
//! would block the path for every write-once upload. A cancel during an outage of S3 may also have
//! left an object or parts. Each such upload is therefore checked once more when nothing can arrive
//! any longer: after the end of the URL and the grace period for transfers that began in time. Its
//! parts are removed, and so is the object whose metadata names this upload; other objects are
//! kept. The object of a failed upload stays, because its client deletes it, and is counted with
//! its current size. The row is marked last: after a crash or a fault before that, the next round
//! repeats the check, which does no harm.

use std::sync::Arc;

use crate::domain::object::FoundObject;
use crate::domain::status::Status;
use crate::domain::upload::Upload;
use crate::objects::Deletion;
use crate::store::uploads;
use crate::usecases::context::Broker;
use crate::usecases::error::Result;

/// The outcome of a final check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FinalCheck {
    /// The upload's own object was present and has been removed.
    Removed,
    /// The upload's own object stays until its client deletes it.
    Kept,
    /// No object of this upload was present.
    Clean,
}

/// Runs the final check of one upload.
pub async fn final_check(broker: &Arc<Broker>, upload: Upload) -> Result<FinalCheck> {
    let this = Arc::clone(broker);
    broker
        .tasks
        .run_to_end(async move { this.run_final_check(&upload).await })
        .await
}

/// Marks at most `limit` uploads as checked without a request to S3, because nothing can have
/// arrived since they were deleted. Returns how many.
pub async fn mark_closed(broker: &Broker, limit: u16) -> Result<usize> {
    let mut connection = broker.connection().await?;
    let (grace, now) = (broker.rules.grace_seconds.into(), broker.clock.now());
    Ok(uploads::mark_closed_finally_checked(&mut connection, grace, now, limit.into()).await?)
}

/// Predicts the outcome of the final check. Changes nothing.
pub async fn predict(broker: &Broker, upload: &Upload) -> Result<FinalCheck> {
    let found = broker.head_object(upload).await?;
    let own = found.filter(|found| was_written_by(upload, found));
    Ok(match own {
        Some(_) if upload.status == Status::Error => FinalCheck::Kept,
        Some(own) if broker.find_relying_upload(upload, &own).await?.is_none() => {
            FinalCheck::Removed
        }
        Some(_) | None => FinalCheck::Clean,
    })
}

/// Whether the object was written with this upload's URL, whatever its bytes are: after a delete,
/// the stored proof describes an object that is gone.
fn was_written_by(upload: &Upload, found: &FoundObject) -> bool {
    found.upload_id == Some(upload.id)
}

impl Broker {
    async fn run_final_check(&self, upload: &Upload) -> Result<FinalCheck> {
        // The parts are removed first, so that no process can complete them any more.
        if let Some(multipart) = &upload.multipart {
            self.abort_multipart_upload(upload, multipart).await?;
        }
        if upload.status == Status::Error {
            let found = self.head_object(upload).await?;
            let own = found.filter(|found| was_written_by(upload, found));
            return self.mark_failed_checked(upload, own).await;
        }
        let outcome = match self.remove_own(upload, was_written_by).await? {
            Some(Deletion::Gone) => FinalCheck::Removed,
            // Another object is at the key by now, or another upload relies on this one.
            Some(Deletion::Replaced | Deletion::ConditionUnsupported) | None => FinalCheck::Clean,
        };
        let mut connection = self.connection().await?;
        uploads::mark_finally_checked(&mut connection, upload, self.clock.now()).await?;
        Ok(outcome)
    }

    async fn mark_failed_checked(
        &self,
        upload: &Upload,
        own: Option<FoundObject>,
    ) -> Result<FinalCheck> {
        let size = own.map(|own| own.size);
        let mut connection = self.connection().await?;
        uploads::mark_failed_finally_checked(&mut connection, upload, size, self.clock.now())
            .await?;
        Ok(match size {
            Some(_) => FinalCheck::Kept,
            None => FinalCheck::Clean,
        })
    }
}
