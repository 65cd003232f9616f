//! One round of the relay: lease events and commit, publish them, record the outcome of each.

use chrono::{DateTime, TimeDelta, Utc};
use diesel_async::AsyncConnection as _;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::outcome::RelayError;
use super::relay::Relay;
use super::sns::{Delivery, Limits, Outcome, Topic};
use crate::domain::event::EventType;
use crate::lifecycle::backoff::Backoff;
use crate::lifecycle::renewal::{Renewal, Renewed};
use crate::store::Connection;
use crate::store::lease::Lease;
use crate::store::outbox::{self, OutboxEvent};

pub use super::outcome::Round;

/// Events and their common lease.
struct LeasedEvents {
    events: Vec<OutboxEvent>,
    lease: Lease,
}

impl LeasedEvents {
    fn event(&self, id: Uuid) -> Option<&OutboxEvent> {
        self.events.iter().find(|event| event.id == id)
    }
}

impl Relay {
    pub(super) async fn round(
        &self,
        topic: &Topic,
        limit: usize,
        stop: &CancellationToken,
    ) -> Result<Round, RelayError> {
        let leased = self.lease_events(limit).await?;
        if leased.events.is_empty() {
            return Ok(Round::default());
        }
        let renewal = Renewal::new(self.lease);
        let lease_lost = renewal.lost();
        let publish = async {
            let limits = Limits { lease_lost, stop };
            topic.publish(&leased.events, &limits).await
        };
        let deliveries = renewal.during(|| self.renew(&leased), publish).await;
        self.record(&leased, &deliveries).await
    }

    async fn lease_events(&self, limit: usize) -> Result<LeasedEvents, RelayError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let mut connection = self.pool.get().await?;
        let now = self.clock.now();
        let lease = Lease::new(&self.clock, self.lease);
        let events = connection
            .transaction(async |connection| {
                outbox::lease_due_events(connection, now, &lease, limit).await
            })
            .await?;
        Ok(LeasedEvents { events, lease })
    }

    /// Renews the lease of all events with one statement. If the lease of one event is lost, all events
    /// are abandoned: the relay that has leased that event is about to lease the others too.
    async fn renew(&self, leased: &LeasedEvents) -> Renewed {
        let ids: Vec<Uuid> = leased.events.iter().map(|event| event.id).collect();
        let renewed = async {
            let mut connection = self.pool.get().await?;
            Ok::<_, RelayError>(outbox::renew_leases(&mut connection, &ids, &leased.lease).await?)
        };
        match renewed.await {
            Ok(held) if held.len() == ids.len() => Renewed::Held,
            Ok(held) => {
                let lost = ids.len() - held.len();
                let total = ids.len();
                log::warn!("relay: another relay has leased {lost} of {total} events");
                Renewed::Lost
            }
            Err(error) => {
                log::warn!(
                    "relay: cannot renew the lease of {} events: {error}",
                    ids.len()
                );
                Renewed::Failed
            }
        }
    }

    /// Records the outcome of each event in Postgres, in the metrics and in the log.
    async fn record(
        &self,
        leased: &LeasedEvents,
        deliveries: &[Delivery],
    ) -> Result<Round, RelayError> {
        let now = self.clock.now();
        let mut connection = self.pool.get().await?;
        let published = ids_with(deliveries, |outcome| *outcome == Outcome::Published);
        outbox::mark_published(&mut connection, &published, now).await?;
        self.log_published(leased, &published, now);
        let not_attempted = ids_with(deliveries, |outcome| *outcome == Outcome::NotAttempted);
        outbox::reschedule(&mut connection, &not_attempted, &leased.lease, now, None).await?;
        let failure = deliveries.iter().find_map(|one| match &one.outcome {
            Outcome::CallFailed(reason) => Some(reason),
            _ => None,
        });
        if let Some(reason) = failure {
            // These events stay due, behind the other events that are due: the back-off is the loop's.
            let ids = ids_with(deliveries, |one| matches!(one, Outcome::CallFailed(_)));
            outbox::reschedule(&mut connection, &ids, &leased.lease, now, Some(reason)).await?;
        }
        let mut undeliverable = 0;
        for Delivery { id, outcome } in deliveries {
            match outcome {
                Outcome::Rejected(reason) => {
                    self.postpone(&mut connection, leased, *id, now, reason)
                        .await?;
                }
                Outcome::Undeliverable(reason) => {
                    undeliverable += 1;
                    self.mark_undeliverable(&mut connection, leased, *id, now, reason)
                        .await?;
                }
                Outcome::Published | Outcome::CallFailed(_) | Outcome::NotAttempted => {}
            }
        }
        let failed = deliveries.len() - published.len() - not_attempted.len();
        self.metrics
            .sns
            .entries(count(published.len()), count(failed));
        Ok(Round {
            leased: leased.events.len(),
            published: published.len(),
            undeliverable,
            failure: failure.cloned(),
        })
    }

    fn log_published(&self, leased: &LeasedEvents, published: &[Uuid], now: DateTime<Utc>) {
        self.metrics.outbox.published(count(published.len()));
        for event in published.iter().filter_map(|id| leased.event(*id)) {
            let is_proof = event.kind == EventType::Uploaded.as_str();
            if is_proof && event.replayed_at.is_none() {
                let delay = (now - event.at).to_std().unwrap_or_default();
                self.metrics.uploads.notified_after(delay);
            }
            let (id, upload) = (event.id, event.upload_id);
            log::info!("published event {id} of upload {upload}");
        }
    }

    /// Schedules another attempt, after a back-off that increases with each attempt.
    async fn postpone(
        &self,
        connection: &mut Connection,
        leased: &LeasedEvents,
        id: Uuid,
        now: DateTime<Utc>,
        reason: &str,
    ) -> Result<(), RelayError> {
        let attempts = (leased.event(id))
            .and_then(|event| u32::try_from(event.attempts).ok())
            .unwrap_or(1);
        let wait = Backoff::default().delay(attempts);
        let due = now + TimeDelta::from_std(wait).unwrap_or_default();
        log::warn!("SNS rejected event {id}, attempt {attempts}: {reason}");
        Ok(outbox::reschedule(connection, &[id], &leased.lease, due, Some(reason)).await?)
    }

    /// Marks an event that no further attempt can deliver. Its row is kept.
    async fn mark_undeliverable(
        &self,
        connection: &mut Connection,
        leased: &LeasedEvents,
        id: Uuid,
        now: DateTime<Utc>,
        reason: &str,
    ) -> Result<(), RelayError> {
        if outbox::mark_undeliverable(connection, id, &leased.lease, now, reason).await? {
            self.metrics.outbox.undeliverable(1);
            log::error!("event {id} is undeliverable and is not retried: {reason}");
        }
        Ok(())
    }
}

/// Returns the ids of the events whose outcome matches.
fn ids_with(deliveries: &[Delivery], matches: impl Fn(&Outcome) -> bool) -> Vec<Uuid> {
    let matching = deliveries.iter().filter(|one| matches(&one.outcome));
    matching.map(|delivery| delivery.id).collect()
}

fn count(entries: usize) -> u64 {
    u64::try_from(entries).unwrap_or_default()
}
