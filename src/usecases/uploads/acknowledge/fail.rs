//! The transaction in which an upload fails.
//!
//! What its own URL, or its parts, have put at the key stands there all the same, and may have taken
//! the place of a proven dataset. That dataset's row says so from the same transaction on.

use chrono::{DateTime, Utc};
use diesel_async::AsyncConnection as _;

use super::prove::Unproven;
use crate::domain::drift::Drift;
use crate::domain::refusal::Refusal;
use crate::domain::status::Transition;
use crate::domain::upload::{Failure, Upload};
use crate::store::Connection;
use crate::store::uploads::{self, Changes, TenantPath};
use crate::usecases::context::Broker;
use crate::usecases::error::Result;

impl Broker {
    /// Marks `upload` failed and refuses for the reason that `refusal` gives; `unproven` stands
    /// there all the same. Where another call acknowledged it meanwhile, that holds.
    pub(super) async fn fail(
        &self,
        upload: &Upload,
        refusal: Refusal,
        unproven: Option<Unproven>,
    ) -> Result<Upload> {
        self.count_failure(&refusal);
        let arrow = Transition::Fail;
        if self
            .end_unproven(upload, arrow, &refusal, unproven.as_ref())
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

    /// Takes the arrow of an upload that cannot be acknowledged, with the reason. Where its object
    /// has replaced the bytes of a proven dataset, that dataset's drift and its event are in the
    /// same transaction. `None` where the row does not allow the arrow.
    pub(in crate::usecases) async fn end_unproven(
        &self,
        upload: &Upload,
        arrow: Transition,
        refusal: &Refusal,
        unproven: Option<&Unproven>,
    ) -> Result<Option<Upload>> {
        let at = self.clock.now();
        let size = unproven.map(|unproven| unproven.size);
        let changes = Changes::failed(failure(refusal), size);
        let mut connection = self.connection().await?;
        let (taken, drifted) = connection
            .transaction(async |connection| {
                let taken = uploads::transition(
                    connection,
                    upload.id,
                    upload.lease_token,
                    arrow,
                    at,
                    changes,
                )
                .await?;
                let drifted = match unproven {
                    Some(unproven) if taken.is_some() => {
                        mark_replaced(connection, upload, unproven, at).await?
                    }
                    _ => false,
                };
                diesel::QueryResult::Ok((taken, drifted))
            })
            .await?;
        drop(connection);
        if let Some(upload) = &taken {
            self.count(upload, arrow);
        }
        self.count_drift(drifted);
        Ok(taken)
    }

    /// Notes what stands there of an upload that is Expired already, and what it has replaced.
    pub(in crate::usecases) async fn record_unproven(
        &self,
        upload: &Upload,
        unproven: Option<&Unproven>,
    ) -> Result<()> {
        let at = self.clock.now();
        let size = unproven.map(|unproven| unproven.size);
        let mut connection = self.connection().await?;
        let drifted = connection
            .transaction(async |connection| {
                uploads::set_unproven_size(connection, upload.id, size).await?;
                match unproven {
                    Some(unproven) => mark_replaced(connection, upload, unproven, at).await,
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
            self.metrics.uploads.drifted(Drift::Replaced.as_str());
        }
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
}

/// Whether a proven dataset stood at the path of `upload` whose bytes `unproven` has replaced:
/// noted now.
async fn mark_replaced(
    connection: &mut Connection,
    upload: &Upload,
    unproven: &Unproven,
    at: DateTime<Utc>,
) -> diesel::QueryResult<bool> {
    let (place, etag) = (TenantPath::from(upload), &*unproven.etag);
    let drifted = uploads::mark_replaced(connection, place, unproven.version, etag, at).await?;
    Ok(drifted.is_some())
}

/// The reason, as it is kept in the row.
fn failure(refusal: &Refusal) -> Failure {
    Failure {
        code: refusal.code.as_str().to_owned(),
        detail: refusal.detail.clone(),
    }
}
