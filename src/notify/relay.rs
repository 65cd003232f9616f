//! The relay publishes events from the outbox to SNS. It runs in any number of replicas.
//!
//! A round leases events and commits, publishes them, and marks them as published. The table shows
//! what a crash (`kill -9`, power cut) leaves behind, and how it is repaired:
//!
//! | The process dies | It leaves | Repaired by |
//! |---|---|---|
//! | before the commit of the lease | nothing | – |
//! | between the lease and the publication | a lease | any relay, when the lease ends |
//! | between the publication and the mark | a lease, and an event that subscribers have | any relay, when the lease ends: the event is sent a second time, under the same `id` |
//! | after the mark | nothing | – |
//!
//! A regular stop is not a crash: calls that have started are finished and their events are marked;
//! the other events are released at once.
//!
//! The next event of an upload is leased only after the previous one is marked, so the events of an
//! upload are published in order, whichever replica sends them. A lease is renewed while its events
//! are sent. A relay that was paused, or cut off from Postgres, for longer than the lease may send an
//! event a second time; it starts no further call once it detects that, and releases no event that
//! another relay has leased in the meantime.
//!
//! SNS may be unavailable for any length of time. Meanwhile events stay in their rows, a few of them
//! are tried with an increasing back-off, and the first success resumes normal operation. An event
//! that SNS rejects individually is retried with a back-off of its own, or marked as undeliverable if
//! no retry can succeed (see [`super::refusal`]); then the later events of its upload follow. If
//! Postgres is unavailable, the loop tries again.
//!
//! The relay polls periodically, and is woken when this process writes an event. Events of other
//! replicas are sent by those replicas, or by the next poll.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::entry::BATCH_ENTRIES;
use super::measure::measure_until;
use super::outcome::{RelayError, Round};
use super::sns::Topic;
use crate::clock::Clock;
use crate::lifecycle::backoff::Backoff;
use crate::store::outbox::{self, Backlog};
use crate::store::pool::Pool;
use crate::telemetry::metrics::Metrics;

/// The back-off while a service is unavailable. It is short, so that events are published soon after
/// the service has recovered.
const BACKOFF: Backoff = Backoff::up_to(Duration::from_secs(15));
/// How often to poll for events.
const POLL_INTERVAL: Duration = Duration::from_secs(1);
/// The number of events that one round leases.
const MAX_LEASED: usize = BATCH_ENTRIES * 10;
/// Waiting events are counted up to this number.
const MAX_COUNTED: i64 = 1_000_000;

/// The relay loop and its dependencies.
pub struct Relay {
    /// Connections to Postgres.
    pub pool: Pool,
    /// The topic to publish to. Without a topic, events are only kept and counted.
    pub topic: Option<Topic>,
    /// The length of a lease that is not renewed.
    pub lease: Duration,
    /// The source of the current time.
    pub clock: Clock,
    /// The metrics.
    pub metrics: Arc<Metrics>,
    /// Notified when this process has written an event.
    pub wake: Arc<Notify>,
}

impl Relay {
    /// Publishes events until `stop`. Calls that have started are finished and their events are
    /// marked; the other leased events are released.
    pub async fn run(self, stop: CancellationToken) {
        tokio::join!(
            self.publish_until(&stop),
            measure_until(&stop, "relay", || self.measure())
        );
    }

    async fn publish_until(&self, stop: &CancellationToken) {
        let mut failures = 0;
        while !stop.is_cancelled() {
            // While SNS is unavailable, a few events suffice to detect that it has recovered.
            let limit = if failures == 0 {
                MAX_LEASED
            } else {
                BATCH_ENTRIES
            };
            let wait = match self.run_once(limit, stop).await {
                Ok(round) => {
                    failures = failures_after(&round, failures);
                    match round.failure {
                        // Each finished event may have blocked the next event of its upload.
                        None if round.finished() > 0 => continue,
                        None => POLL_INTERVAL,
                        Some(reason) => log_failure("SNS accepts no events", &reason, failures),
                    }
                }
                Err(error) => {
                    failures += 1;
                    let cause = std::error::Error::source(&error).map(ToString::to_string);
                    log_failure(&error.to_string(), &cause.unwrap_or_default(), failures)
                }
            };
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(wait) => {}
                () = self.wake.notified(), if failures == 0 => {}
            }
        }
    }

    /// Runs one round, which publishes at most `limit` events that are due. Does nothing without a
    /// topic.
    ///
    /// # Errors
    /// Postgres is unavailable. A failure of SNS is part of the result instead.
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

    async fn measure(&self) -> Result<(), RelayError> {
        let mut connection = self.pool.get().await?;
        let Backlog { depth, oldest } = outbox::backlog(&mut connection, MAX_COUNTED).await?;
        let age = oldest.map(|at| (self.clock.now() - at).to_std().unwrap_or_default());
        let depth = u64::try_from(depth).unwrap_or_default();
        self.metrics.outbox.waiting(depth, age);
        Ok(())
    }
}

/// Returns the number of consecutive failures. A round in which SNS accepted some events (throttling)
/// counts as the first failure: the relay continues, only more slowly.
fn failures_after(round: &Round, before: u32) -> u32 {
    match round.failure {
        None => 0,
        Some(_) if round.published > 0 => 1,
        Some(_) => before.saturating_add(1),
    }
}

/// Logs a failure and returns the back-off that follows it.
fn log_failure(what: &str, reason: &str, failures: u32) -> Duration {
    let wait = BACKOFF.delay(failures);
    log::warn!("relay: {what} (failure {failures} in a row, next try in {wait:.1?}): {reason}");
    wait
}
