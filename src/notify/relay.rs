//! The relay: takes events from the outbox to SNS, for ever, in any number of replicas.
//!
//! Claim by lease and commit, publish, mark. What a crash (kill -9, power) leaves, and who
//! repairs it:
//!
//! | dies | leaves | repaired by |
//! |---|---|---|
//! | before the claim's commit | nothing | – |
//! | between the claim and the publish | a lease | any relay, when the lease ends |
//! | between the publish and the mark | a lease, and an event that subscribers have | any relay, when the lease ends: sent a second time, under the same `id` |
//! | after the mark | nothing | – |
//!
//! A stop is no crash: what is in a call is finished and marked, the rest is given back at once.
//!
//! An upload's next event is claimed only after its last one is marked, so that they leave in
//! order, whoever sends them. A lease is renewed while its events are sent. A relay that was paused or
//! cut off from Postgres for longer than that may send an event a second time; it begins no call
//! once it knows, and puts nothing back that another relay has claimed since.
//!
//! SNS may be away for any time: events wait in their rows, a few are tried with growing back-off,
//! and the first that is taken opens the way for all. An event that SNS refuses alone is tried
//! with a back-off of its own, or given up where it can never succeed (see [`super::refusal`]);
//! then the later ones of its upload go on. Postgres may be away: the loop tries again.
//!
//! It wakes on a timer and when this process wrote an event; events of other replicas are theirs
//! to send, or wait for the timer.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::entry::BATCH_ENTRIES;
use super::round::Round;
use super::sns::Topic;
use crate::clock::Clock;
use crate::lifecycle::backoff::Backoff;
use crate::store::outbox::{self, Backlog};
use crate::store::pool::Pool;
use crate::telemetry::metrics::Metrics;

/// A call to SNS, with its retries, takes no longer, whatever the settings allow: a stop waits for it.
pub(super) const CALL: Duration = Duration::from_secs(12);
/// The back-off while a service does not answer. It stays short, so that events leave soon once the
/// service is back.
const RETRY: Backoff = Backoff::up_to(Duration::from_secs(15));
/// How often to look without being woken.
const PERIOD: Duration = Duration::from_secs(1);
/// Events in a claim.
const CLAIM: usize = BATCH_ENTRIES * 10;
/// Events are counted up to here.
const COUNTED: i64 = 1_000_000;
/// The share of its time that the count of events may take: one in twenty.
const SHARE: u32 = 20;

/// The loop and what it works with.
pub struct Relay {
    /// Connections to Postgres.
    pub pool: Pool,
    /// Where events go; without a topic they are kept and counted.
    pub topic: Option<Topic>,
    /// How long events are held without a renewal.
    pub lease: Duration,
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
    /// Runs until `stop`; what is in a call by then is finished and marked, the rest given back.
    pub async fn run(self, stop: CancellationToken) {
        tokio::join!(self.work(&stop), self.watch(&stop));
    }

    async fn work(&self, stop: &CancellationToken) {
        let mut failures = 0;
        while !stop.is_cancelled() {
            // While SNS is away, a few events find out when it is back.
            let limit = if failures == 0 { CLAIM } else { BATCH_ENTRIES };
            let wait = match self.run_once(limit, stop).await {
                Ok(round) => {
                    failures = failures_after(&round, failures);
                    match round.fault {
                        // Each event that left may have held up its upload's next one.
                        None if round.settled() > 0 => continue,
                        None => PERIOD,
                        Some(fault) => told("SNS takes no events", &fault, failures),
                    }
                }
                Err(error) => {
                    failures += 1;
                    let cause = std::error::Error::source(&error).map(ToString::to_string);
                    told(&error.to_string(), &cause.unwrap_or_default(), failures)
                }
            };
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(wait) => {}
                () = self.nudge.notified(), if failures == 0 => {}
            }
        }
    }

    /// One round: publishes what is due, at most `limit` events. Without a topic there is nothing
    /// to do.
    pub async fn run_once(
        &self,
        limit: usize,
        stop: &CancellationToken,
    ) -> Result<Round, RelayError> {
        match &self.topic {
            Some(topic) => self.round(topic, limit, stop).await,
            None => Ok(Round::default()),
        }
    }

    /// Keeps the gauges true, whatever the other half waits for. Its first look comes after a
    /// while: at the start, connections are for others.
    async fn watch(&self, stop: &CancellationToken) {
        let mut wait = PERIOD;
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(wait) => {}
            }
            let start = Instant::now();
            if let Err(error) = self.measure().await {
                log::debug!("relay: events are not counted: {error}");
            }
            wait = PERIOD.max(start.elapsed() * SHARE);
        }
    }

    async fn measure(&self) -> Result<(), RelayError> {
        let mut connection = self.pool.get().await?;
        let Backlog { depth, oldest } = outbox::backlog(&mut connection, COUNTED).await?;
        let age = oldest.map(|at| (self.clock.now() - at).to_std().unwrap_or_default());
        let depth = u64::try_from(depth).unwrap_or_default();
        self.metrics.outbox.waiting(depth, age);
        Ok(())
    }
}

/// Failures in a row. Where some events were taken (throttling), it goes on, only slower.
fn failures_after(round: &Round, before: u32) -> u32 {
    match round.fault {
        None => 0,
        Some(_) if round.taken > 0 => 1,
        Some(_) => before.saturating_add(1),
    }
}

/// Logs a failure, and says how long to wait.
fn told(what: &str, why: &str, failures: u32) -> Duration {
    let wait = RETRY.delay(failures);
    log::warn!("relay: {what} (failure {failures} in a row, next try in {wait:.1?}): {why}");
    wait
}
