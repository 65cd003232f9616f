//! Settle: the last look at an upload that was deleted or cancelled, or that failed.
//!
//! Its URL lives on: whoever holds it may PUT once more, and what comes would block the path for
//! every write-once upload. A cancel while S3 was away has left its object or its parts, too. So
//! each is looked at once more when nothing can come any longer, after the end of the URL and the
//! grace for transfers that began in time. Its parts are freed then, and what names this upload in
//! its metadata is removed; anything else is left alone. What a failed upload has brought stays, as
//! its client deletes that, and is counted as it stands there now. The row is marked last: a crash
//! or a fault before that leaves it for the next round, and looking twice does no harm.

use std::sync::Arc;

use crate::domain::object::FoundObject;
use crate::domain::status::Status;
use crate::domain::upload::Upload;
use crate::objects::Deletion;
use crate::store::uploads;
use crate::usecases::context::Broker;
use crate::usecases::error::Result;

/// What the last look came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FinalCheck {
    /// Its own object stood there and is removed.
    Removed,
    /// Its own object stands there until its client deletes it.
    Kept,
    /// Nothing of its own stood there.
    Clean,
}

/// Looks at one upload for the last time.
pub async fn final_check(broker: &Arc<Broker>, upload: Upload) -> Result<FinalCheck> {
    let this = Arc::clone(broker);
    broker
        .tasks
        .run_to_end(async move { this.run_final_check(&upload).await })
        .await
}

/// Marks those of which nothing can have come since they were deleted, at most `limit`, without a
/// look. Says how many.
pub async fn mark_closed(broker: &Broker, limit: u16) -> Result<usize> {
    let mut connection = broker.connection().await?;
    let (grace, now) = (broker.rules.grace_seconds.into(), broker.clock.now());
    Ok(uploads::mark_closed_finally_checked(&mut connection, grace, now, limit.into()).await?)
}

/// What the last look would come to, and nothing changes.
pub async fn predict(broker: &Broker, upload: &Upload) -> Result<FinalCheck> {
    let found = broker.head_object(upload).await?;
    let own = found.filter(|found| was_written_by(upload, found));
    Ok(match own {
        Some(_) if upload.status == Status::Error => FinalCheck::Kept,
        Some(own) if !broker.is_counted_on(upload, &own).await? => FinalCheck::Removed,
        Some(_) | None => FinalCheck::Clean,
    })
}

/// Whether the object came by this upload's URL, whatever its bytes are: after a delete the proof
/// is about an object that is gone.
fn was_written_by(upload: &Upload, found: &FoundObject) -> bool {
    found.upload_id == Some(upload.id)
}

impl Broker {
    async fn run_final_check(&self, upload: &Upload) -> Result<FinalCheck> {
        // First, so that nobody makes an object of them any more.
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
            // Another object stands there by now, or another upload counts on this one.
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
