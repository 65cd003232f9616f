//! The relay: takes events from the outbox to SNS, for ever.
//!
//! Claim and commit, publish, mark. Killed after the claim, the events fall due again when the
//! lease ends; killed after the publish, they are sent a second time and the receiver tells by
//! `id`. SNS may be away for any time: events wait in their rows with growing back-off, and an
//! upload's next event never overtakes its last. Postgres may be away: the loop tries again.
//! It wakes on a timer and when this process wrote an event; events of other replicas are theirs
//! to send, or wait for the timer.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use diesel_async::AsyncConnection as _;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::sns::{BATCH_ENTRIES, Delivery, Topic};
use crate::clock::Clock;
use crate::lifecycle::backoff;
use crate::store::outbox::{self, Backlog, Outgoing};
use crate::store::pool::Pool;
use crate::telemetry::metrics::Metrics;

/// How long a claim holds. Longer than a call to SNS can take.
const LEASE: TimeDelta = TimeDelta::seconds(30);
/// How often to look without being woken.
const PERIOD: Duration = Duration::from_secs(1);
/// Events in a claim.
const CLAIM: usize = BATCH_ENTRIES * 10;

/// The loop and what it works with.
pub struct Relay {
    /// Connections to Postgres.
    pub pool: Pool,
    /// Where events go; without a topic they are kept and counted.
    pub topic: Option<Topic>,
    /// The time.
    pub clock: Clock,
    /// Counters.
    pub metrics: Arc<Metrics>,
    /// Woken when an event was written.
    pub nudge: Arc<Notify>,
}

/// A round did not come to its end. It is tried again.
#[derive(Debug, thiserror::Error)]
pub enum RelayError {
    /// No connection.
    #[error("no connection to Postgres")]
    Pool(#[from] crate::store::pool::PoolError),
    /// A query failed.
    #[error("a query failed")]
    Query(#[from] crate::store::Error),
}

impl Relay {
    /// Runs until `stop`; a round that has begun is finished.
    pub async fn run(self, stop: CancellationToken) {
        let mut failures = 0;
        while !stop.is_cancelled() {
            let wait = match self.run_once().await {
                Ok(claimed) => {
                    failures = 0;
                    // A full claim says that more is due.
                    if claimed == CLAIM {
                        Duration::ZERO
                    } else {
                        PERIOD
                    }
                }
                Err(error) => {
                    failures += 1;
                    let cause = std::error::Error::source(&error).map(ToString::to_string);
                    log::warn!("relay: {error}: {}", cause.unwrap_or_default());
                    backoff::after(failures)
                }
            };
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(wait) => {}
                () = self.nudge.notified(), if failures == 0 => {}
            }
        }
    }

    /// One round: publishes what is due, and says how many events it claimed.
    pub async fn run_once(&self) -> Result<usize, RelayError> {
        let claimed = match &self.topic {
            Some(topic) => self.publish_due(topic).await?,
            None => 0,
        };
        let mut connection = self.pool.get().await?;
        let Backlog { depth, oldest } = outbox::backlog(&mut connection).await?;
        let age = oldest.map(|at| (self.clock.now() - at).to_std().unwrap_or_default());
        let depth = u64::try_from(depth).unwrap_or_default();
        self.metrics.outbox.waiting(depth, age);
        Ok(claimed)
    }

    async fn publish_due(&self, topic: &Topic) -> Result<usize, RelayError> {
        let now = self.clock.now();
        let limit = i64::try_from(CLAIM).unwrap_or(i64::MAX);
        let mut connection = self.pool.get().await?;
        let claimed = connection
            .transaction(async |connection| {
                outbox::claim(connection, now, now + LEASE, limit).await
            })
            .await?;
        drop(connection);
        if claimed.is_empty() {
            return Ok(0);
        }
        let deliveries = topic.publish(&claimed).await;
        self.settle(&claimed, deliveries).await?;
        Ok(claimed.len())
    }

    async fn settle(
        &self,
        claimed: &[Outgoing],
        deliveries: Vec<Delivery>,
    ) -> Result<(), RelayError> {
        let now = self.clock.now();
        let mut connection = self.pool.get().await?;
        let (refused, taken): (Vec<_>, Vec<_>) =
            (deliveries.into_iter()).partition(|delivery| delivery.error.is_some());
        let taken: Vec<_> = taken.into_iter().map(|delivery| delivery.id).collect();
        outbox::mark_published(&mut connection, &taken, now).await?;
        let count = |entries: usize| u64::try_from(entries).unwrap_or_default();
        self.metrics.outbox.published(count(taken.len()));
        self.metrics
            .sns
            .entries(count(taken.len()), count(refused.len()));
        for event in claimed {
            if taken.contains(&event.id) {
                let took = (now - event.at).to_std().unwrap_or_default();
                self.metrics.uploads.notified_after(took);
                log::info!(
                    "event {} of upload {} is published",
                    event.id,
                    event.upload_id
                );
            }
        }
        for Delivery { id, error } in refused {
            let reason = error.unwrap_or_default();
            let attempts = (claimed.iter().find(|event| event.id == id))
                .and_then(|event| u32::try_from(event.attempts).ok())
                .unwrap_or(1);
            let wait = backoff::after(attempts);
            let due = now + TimeDelta::from_std(wait).unwrap_or(LEASE);
            outbox::put_back(&mut connection, id, due, &reason).await?;
            log::warn!("event {id} is not published, attempt {attempts}: {reason}");
        }
        Ok(())
    }
}
