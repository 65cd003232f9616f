//! The transactions in which an upload becomes Uploaded, or fails.

use diesel::result::{DatabaseErrorKind, Error as Sql};
use diesel_async::AsyncConnection as _;

use super::claims::Claimed;
use crate::domain::object::ProvenObject;
use crate::domain::proof::Level;
use crate::domain::refusal::Refusal;
use crate::domain::status::Transition;
use crate::domain::upload::{Failure, Upload, Verification, Verifier};
use crate::store::uploads::{self, Changes, Current};
use crate::usecases::broker::Broker;
use crate::usecases::error::{Error, Result};

/// What came of a commit.
pub(super) enum Committed {
    /// The row changed, the event is written.
    Done(Box<Upload>),
    /// Nothing changed: the row or its path moved since the object was looked at.
    Moved,
}

impl Broker {
    /// Marks `upload` Uploaded, if its path is still as `mark` says.
    pub(super) async fn commit(
        &self,
        upload: &Upload,
        claimed: &Claimed,
        mark: Current,
        object: &ProvenObject,
        level: Level,
        by: Verifier,
    ) -> Result<Committed> {
        let at = self.clock.now();
        let metadata = (claimed.metadata.as_ref())
            .map(serde_json::to_value)
            .transpose()
            .map_err(|cause| Error::Internal(cause.into()))?;
        let changes = Changes::default()
            .words(claimed.name.clone(), claimed.comments.clone(), metadata)
            .declared(claimed.declared.size, claimed.declared.checksum.as_ref())
            .proven(object, Verification { level, by, at });
        let mut connection = self.connection().await?;
        let result = connection
            .transaction(async |connection| {
                if uploads::current_of(connection, &upload.tenant, &upload.path).await? != mark {
                    return Err(Sql::RollbackTransaction);
                }
                uploads::supersede(connection, mark, at).await?;
                uploads::transition(connection, upload.id, Transition::Acknowledge, at, changes)
                    .await?
                    .ok_or(Sql::RollbackTransaction)
            })
            .await;
        match result {
            Ok(done) => {
                self.outbox.notify_one();
                self.count(&done, Transition::Acknowledge);
                Ok(Committed::Done(Box::new(done)))
            }
            // The second of two that were acknowledged at one path at once.
            Err(
                Sql::RollbackTransaction
                | Sql::DatabaseError(DatabaseErrorKind::UniqueViolation, _),
            ) => Ok(Committed::Moved),
            Err(cause) => Err(cause.into()),
        }
    }

    /// Marks `upload` failed and refuses for the reason that `refusal` gives. Where another call
    /// acknowledged it meanwhile, that holds.
    pub(super) async fn fail(&self, upload: &Upload, refusal: Refusal) -> Result<Upload> {
        self.count_failure(&refusal);
        let changes = Changes::default().failed(failure(&refusal));
        if self
            .take(upload, Transition::Fail, changes)
            .await?
            .is_some()
        {
            return Err(refusal.into());
        }
        let now = self.reload(upload).await?;
        if now.was_acknowledged() {
            return Ok(now);
        }
        Err(Refusal::wrong_status(now.id, now.status, Transition::Acknowledge).into())
    }

    /// Takes one arrow in a transaction of its own; `None` where the row does not allow it.
    pub(in crate::usecases) async fn take(
        &self,
        upload: &Upload,
        arrow: Transition,
        changes: Changes,
    ) -> Result<Option<Upload>> {
        let at = self.clock.now();
        let mut connection = self.connection().await?;
        let taken = connection
            .transaction(async |connection| {
                uploads::transition(connection, upload.id, arrow, at, changes).await
            })
            .await?;
        if let Some(upload) = &taken {
            self.count(upload, arrow);
        }
        Ok(taken)
    }

    /// By what differs; by the problem where nothing was compared.
    pub(in crate::usecases) fn count_failure(&self, refusal: &Refusal) {
        let uploads = &self.metrics.uploads;
        for mismatch in &refusal.mismatches {
            uploads.verification_failed(mismatch.field);
        }
        if refusal.mismatches.is_empty() {
            uploads.verification_failed(refusal.code.as_str());
        }
    }

    fn count(&self, upload: &Upload, arrow: Transition) {
        self.metrics.uploads.transition(arrow.to().as_str());
        if arrow == Transition::Acknowledge {
            let took = upload.updated_at - upload.created_at;
            self.metrics
                .uploads
                .uploaded_after(took.to_std().unwrap_or_default());
        }
    }
}

/// The reason, as it is kept in the row.
pub(in crate::usecases) fn failure(refusal: &Refusal) -> Failure {
    Failure {
        code: refusal.code.as_str().to_owned(),
        detail: refusal.detail.clone(),
    }
}
