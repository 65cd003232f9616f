//! The transaction in which an upload fails.
//!
//! The object that its URL, or the completion of its parts, has written stays at the key, and may
//! have replaced a proven dataset. The row of that dataset records this in the same transaction.

use chrono::{DateTime, Utc};
use diesel_async::AsyncConnection as _;

use super::prove::Unproven;
use crate::domain::drift::Drift;
use crate::domain::event::EventType;
use crate::domain::notified_types::NotifiedTypes;
use crate::domain::refusal::Refusal;
use crate::domain::status::Transition;
use crate::domain::upload::{Failure, Upload};
use crate::store::Connection;
use crate::store::uploads::{self, Changes, TenantPath};
use crate::usecases::context::Broker;
use crate::usecases::error::Result;

impl Broker {
    /// Marks `upload` failed, and returns `refusal` as the error. `unproven` is the object at the
    /// key, if this upload wrote it. If another call acknowledged the upload meanwhile, that is
    /// returned instead.
    pub(super) async fn fail(
        &self,
        upload: &Upload,
        refusal: Refusal,
        unproven: Option<Unproven>,
    ) -> Result<Upload> {
        self.count_failure(&refusal);
        let transition = Transition::Fail;
        if self
            .end_unproven(upload, transition, &refusal, unproven.as_ref())
            .await?
            .is_some()
        {
            self.abort(upload).await;
            return Err(refusal.into());
        }
        let now = self.reload(upload).await?;
        if now.was_acknowledged() {
            return Ok(now);
        }
        Err(Refusal::wrong_status(now.id, now.status, Transition::Acknowledge).into())
    }

    /// Ends an upload that cannot be acknowledged, and stores the reason. If its object has
    /// replaced the bytes of a proven dataset, the drift of that dataset and its event are written
    /// in the same transaction. Returns `None` if the row does not permit the transition.
    pub(in crate::usecases) async fn end_unproven(
        &self,
        upload: &Upload,
        transition: Transition,
        refusal: &Refusal,
        unproven: Option<&Unproven>,
    ) -> Result<Option<Upload>> {
        let (at, notified) = (self.clock.now(), &self.rules.notified);
        let size = unproven.map(|unproven| unproven.size);
        let changes = Changes::failed(failure(refusal), size);
        let mut connection = self.connection().await?;
        let (ended, drifted) = connection
            .transaction(async |connection| {
                let ended = uploads::transition(
                    connection,
                    upload.id,
                    upload.lease_token,
                    transition,
                    at,
                    changes,
                    notified,
                )
                .await?;
                let drifted = match unproven {
                    Some(unproven) if ended.is_some() => {
                        mark_replaced(connection, upload, unproven, at, notified).await?
                    }
                    _ => false,
                };
                diesel::QueryResult::Ok((ended, drifted))
            })
            .await?;
        drop(connection);
        if let Some(upload) = &ended {
            self.wake_relay(EventType::of(transition));
            self.count(upload, transition);
        }
        self.count_drift(drifted);
        Ok(ended)
    }

    /// Records the object of an upload that is already Expired, and the dataset that it has
    /// replaced.
    pub(in crate::usecases) async fn record_unproven(
        &self,
        upload: &Upload,
        unproven: Option<&Unproven>,
    ) -> Result<()> {
        let (at, notified) = (self.clock.now(), &self.rules.notified);
        let size = unproven.map(|unproven| unproven.size);
        let mut connection = self.connection().await?;
        let drifted = connection
            .transaction(async |connection| {
                uploads::set_unproven_size(connection, upload.id, size).await?;
                match unproven {
                    Some(unproven) => {
                        mark_replaced(connection, upload, unproven, at, notified).await
                    }
                    None => Ok(false),
                }
            })
            .await?;
        drop(connection);
        self.count_drift(drifted);
        Ok(())
    }

    fn count_drift(&self, drifted: bool) {
        if drifted {
            self.wake_relay(EventType::Drifted);
            self.metrics.uploads.drifted(Drift::Replaced.as_str());
        }
    }

    /// Counts a failed verification by the fields that differ, or by the problem code if nothing
    /// was compared.
    pub(in crate::usecases) fn count_failure(&self, refusal: &Refusal) {
        let uploads = &self.metrics.uploads;
        for mismatch in &refusal.mismatches {
            uploads.verification_failed(mismatch.field);
        }
        if refusal.mismatches.is_empty() {
            uploads.verification_failed(refusal.code.as_str());
        }
    }
}

/// Records that `unproven` has replaced the bytes of the proven dataset at the path of `upload`.
/// Returns whether there was such a dataset.
async fn mark_replaced(
    connection: &mut Connection,
    upload: &Upload,
    unproven: &Unproven,
    at: DateTime<Utc>,
    notified: &NotifiedTypes,
) -> diesel::QueryResult<bool> {
    let (place, etag) = (TenantPath::from(upload), &*unproven.etag);
    let version = unproven.version;
    let drifted = uploads::mark_replaced(connection, place, version, etag, at, notified).await?;
    Ok(drifted.is_some())
}

/// The reason, as it is stored in the row.
fn failure(refusal: &Refusal) -> Failure {
    Failure {
        code: refusal.code.as_str().to_owned(),
        detail: refusal.detail.clone(),
    }
}
