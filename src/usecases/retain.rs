//! Retain: history is kept for the time that the settings say, for ever by default.
//!
//! Each call is one short transaction over a bounded number of rows. An event that waits for SNS
//! stays, and so does its upload; so does an upload whose wrong object may still stand in the
//! bucket, as only its row lets a client delete that.

use chrono::{DateTime, TimeDelta, Utc};
use diesel_async::AsyncConnection as _;

use super::broker::Broker;
use super::error::Result;
use crate::store::{audit, retention};

/// How long what is over is kept; without a time, for ever.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retention {
    /// Events that were published, or are not to be.
    pub events: Option<TimeDelta>,
    /// Uploads that ended: Deleted, Cancelled, Expired, Superseded, failed without an object.
    pub uploads: Option<TimeDelta>,
    /// Rows of the audit.
    pub audit: Option<TimeDelta>,
}

/// What is retained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Old {
    /// Events.
    Events,
    /// Uploads, with their events and idempotency keys.
    Uploads,
    /// Rows of the audit.
    Audit,
}

/// Removes at most `limit` rows that are past their time, and says how many.
pub async fn remove(broker: &Broker, what: Old, limit: u16) -> Result<u64> {
    let Some(before) = before(broker, what) else {
        return Ok(0);
    };
    let mut connection = broker.connection().await?;
    let removed = connection
        .transaction(async |connection| match what {
            Old::Events => retention::remove_events(connection, before, limit.into()).await,
            Old::Uploads => retention::remove_uploads(connection, before, limit.into()).await,
            Old::Audit => audit::remove(connection, before, limit.into()).await,
        })
        .await?;
    Ok(u64::try_from(removed).unwrap_or(u64::MAX))
}

/// How many rows [`remove`] would remove in the end.
pub async fn foresee(broker: &Broker, what: Old) -> Result<u64> {
    let Some(before) = before(broker, what) else {
        return Ok(0);
    };
    let mut connection = broker.connection().await?;
    let old = match what {
        Old::Events => retention::count_events(&mut connection, before).await?,
        Old::Uploads => retention::count_uploads(&mut connection, before).await?,
        Old::Audit => audit::count_old(&mut connection, before).await?,
    };
    Ok(u64::try_from(old).unwrap_or_default())
}

fn before(broker: &Broker, what: Old) -> Option<DateTime<Utc>> {
    let retention = &broker.rules.retention;
    let kept = match what {
        Old::Events => retention.events,
        Old::Uploads => retention.uploads,
        Old::Audit => retention.audit,
    };
    kept.map(|kept| broker.clock.now() - kept)
}
