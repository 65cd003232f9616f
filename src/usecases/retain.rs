//! Retain: history is kept for the time that the settings say, for ever by default.
//!
//! A tenant may have a time of its own for its uploads, in place of the settings'.
//!
//! Each call is one short transaction over a bounded number of rows. An event that waits for SNS
//! stays, and so does its upload; so does an upload whose wrong object may still stand in the
//! bucket, as only its row lets a client delete that.

use chrono::{DateTime, TimeDelta, Utc};
use diesel_async::AsyncConnection as _;

use super::broker::Broker;
use super::error::Result;
use crate::store::retention::{self, Whose};
use crate::store::{Connection, audit, tenants};

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
    let mut connection = broker.connection().await?;
    let mut removed = 0;
    for (whose, before) in broker.ends(&mut connection, what).await? {
        let left = usize::from(limit).saturating_sub(removed);
        let left = i64::try_from(left).unwrap_or_default();
        removed += connection
            .transaction(async |connection| match what {
                Old::Events => retention::remove_events(connection, before, left).await,
                Old::Uploads => retention::remove_uploads(connection, &whose, before, left).await,
                Old::Audit => audit::remove(connection, before, left).await,
            })
            .await?;
    }
    Ok(u64::try_from(removed).unwrap_or(u64::MAX))
}

/// How many rows [`remove`] would remove in the end.
pub async fn foresee(broker: &Broker, what: Old) -> Result<u64> {
    let mut connection = broker.connection().await?;
    let mut old = 0;
    for (whose, before) in broker.ends(&mut connection, what).await? {
        old += match what {
            Old::Events => retention::count_events(&mut connection, before).await?,
            Old::Uploads => retention::count_uploads(&mut connection, &whose, before).await?,
            Old::Audit => audit::count_old(&mut connection, before).await?,
        };
    }
    Ok(u64::try_from(old).unwrap_or_default())
}

impl Broker {
    /// Whose rows go that are from before when. Only of uploads tenants have times of their own.
    async fn ends(
        &self,
        connection: &mut Connection,
        what: Old,
    ) -> Result<Vec<(Whose, DateTime<Utc>)>> {
        let retention = &self.rules.retention;
        let kept = match what {
            Old::Events => retention.events,
            Old::Uploads => retention.uploads,
            Old::Audit => retention.audit,
        };
        let own = match what {
            Old::Uploads => tenants::with_retention(connection).await?,
            Old::Events | Old::Audit => Vec::new(),
        };
        let now = self.clock.now();
        let names = own.iter().map(|(name, _)| name.clone()).collect();
        let theirs = false;
        let rest = kept.map(|kept| (Whose { names, theirs }, now - kept));
        let own = own.into_iter().map(|(name, days)| {
            let (names, theirs) = (vec![name], true);
            let kept = TimeDelta::days(days.into());
            (Whose { names, theirs }, now - kept)
        });
        Ok(own.chain(rest).collect())
    }
}
