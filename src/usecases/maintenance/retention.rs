//! Retention: history is kept for the configured time, and without a limit by default.
//!
//! A tenant may have its own retention time for uploads, which replaces the configured one.
//!
//! Each call is one short transaction over a bounded number of rows. An event that waits for SNS is
//! kept, together with its upload. An upload whose wrong object may still be in the bucket is kept
//! as well, because a client can delete that object only through the row.

use chrono::{DateTime, Utc};
use diesel_async::AsyncConnection as _;

use crate::store::{audit, retention};
use crate::usecases::context::Broker;
use crate::usecases::error::Result;

/// The kinds of history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retained {
    /// Events.
    Events,
    /// Uploads, with their events and idempotency keys.
    Uploads,
    /// Audit rows.
    Audit,
}

/// Removes at most `limit` rows whose retention time is over, and returns how many.
pub async fn remove(broker: &Broker, kind: Retained, limit: u16) -> Result<u64> {
    let mut connection = broker.connection().await?;
    let (now, limit) = (broker.clock.now(), i64::from(limit));
    let removed = connection
        .transaction(
            async |connection| match (kind, broker.retention_end(kind)) {
                (Retained::Uploads, _) => {
                    let kept = broker.upload_retention_seconds();
                    retention::remove_uploads(connection, now, kept, limit).await
                }
                (_, None) => Ok(0),
                (Retained::Events, Some(before)) => {
                    retention::remove_events(connection, before, limit).await
                }
                (Retained::Audit, Some(before)) => audit::remove(connection, before, limit).await,
            },
        )
        .await?;
    Ok(u64::try_from(removed).unwrap_or(u64::MAX))
}

/// Counts the rows that repeated calls of [`remove`] would remove.
pub async fn count(broker: &Broker, kind: Retained) -> Result<u64> {
    let mut connection = broker.connection().await?;
    let now = broker.clock.now();
    let old = match (kind, broker.retention_end(kind)) {
        (Retained::Uploads, _) => {
            let kept = broker.upload_retention_seconds();
            retention::count_uploads(&mut connection, now, kept).await?
        }
        (_, None) => 0,
        (Retained::Events, Some(before)) => {
            retention::count_events(&mut connection, before).await?
        }
        (Retained::Audit, Some(before)) => audit::count_old(&mut connection, before).await?,
    };
    Ok(u64::try_from(old).unwrap_or_default())
}

impl Broker {
    /// Events and audit rows before this time are removed. `None` if they are kept without a limit.
    fn retention_end(&self, kind: Retained) -> Option<DateTime<Utc>> {
        let kept = match kind {
            Retained::Events => self.rules.retention.events,
            Retained::Uploads => self.rules.retention.uploads,
            Retained::Audit => self.rules.retention.audit,
        };
        kept.map(|kept| self.clock.now() - kept)
    }

    /// The retention time, in seconds, of uploads whose tenant has none of its own.
    fn upload_retention_seconds(&self) -> Option<f64> {
        let kept = self.rules.retention.uploads?.to_std().ok()?;
        Some(kept.as_secs_f64())
    }
}
