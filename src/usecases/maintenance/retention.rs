//! Retain: history is kept for the time that the settings say, for ever by default.
//!
//! A tenant may have a time of its own for its uploads, in place of the settings'.
//!
//! Each call is one short transaction over a bounded number of rows. An event that waits for SNS
//! stays, and so does its upload; so does an upload whose wrong object may still stand in the
//! bucket, as only its row lets a client delete that.

use chrono::{DateTime, Utc};
use diesel_async::AsyncConnection as _;

use crate::store::{audit, retention};
use crate::usecases::context::Broker;
use crate::usecases::error::Result;

/// What is retained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retained {
    /// Events.
    Events,
    /// Uploads, with their events and idempotency keys.
    Uploads,
    /// Rows of the audit.
    Audit,
}

/// Removes at most `limit` rows that are past their time, and says how many.
pub async fn remove(broker: &Broker, what: Retained, limit: u16) -> Result<u64> {
    let mut connection = broker.connection().await?;
    let (now, limit) = (broker.clock.now(), i64::from(limit));
    let removed = connection
        .transaction(
            async |connection| match (what, broker.retention_end(what)) {
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

/// How many rows [`remove`] would remove in the end.
pub async fn count(broker: &Broker, what: Retained) -> Result<u64> {
    let mut connection = broker.connection().await?;
    let now = broker.clock.now();
    let old = match (what, broker.retention_end(what)) {
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
    /// Since when events and rows of the audit are old; never where they are kept for ever.
    fn retention_end(&self, what: Retained) -> Option<DateTime<Utc>> {
        let kept = match what {
            Retained::Events => self.rules.retention.events,
            Retained::Uploads => self.rules.retention.uploads,
            Retained::Audit => self.rules.retention.audit,
        };
        kept.map(|kept| self.clock.now() - kept)
    }

    /// For how many seconds uploads are kept whose tenant has no time of its own.
    fn upload_retention_seconds(&self) -> Option<f64> {
        let kept = self.rules.retention.uploads?.to_std().ok()?;
        Some(kept.as_secs_f64())
    }
}
