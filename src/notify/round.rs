//! One round of the relay: claim and commit, publish, write down what became of each event.

use chrono::{DateTime, TimeDelta, Utc};
use diesel_async::AsyncConnection as _;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::relay::{Relay, RelayError};
use super::sns::{Bounds, Delivery, Fate, Topic};
use crate::lifecycle::backoff::Backoff;
use crate::lifecycle::renewal::{Renewal, Renewed};
use crate::store::Connection;
use crate::store::lease::Lease;
use crate::store::outbox::{self, OutboxEvent};

/// What a round did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Round {
    /// Events that it claimed.
    pub claimed: usize,
    /// Of these, those that SNS took.
    pub taken: usize,
    /// Those that were given up.
    pub undeliverable: usize,
    /// Why SNS took nothing more, if that ended the round.
    pub fault: Option<String>,
}

impl Round {
    /// Events that wait no more.
    pub fn settled(&self) -> usize {
        self.taken + self.undeliverable
    }
}

/// Events, and the lease that they are held under.
struct Claim {
    events: Vec<OutboxEvent>,
    lease: Lease,
}

impl Claim {
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
        let claim = self.claim(limit).await?;
        if claim.events.is_empty() {
            return Ok(Round::default());
        }
        let renewal = Renewal::new(self.lease);
        let lost = renewal.lost();
        let publish = async {
            let bounds = Bounds { lost, stop };
            topic.publish(&claim.events, &bounds).await
        };
        let deliveries = renewal.during(|| self.renew(&claim), publish).await;
        self.settle(&claim, &deliveries).await
    }

    async fn claim(&self, limit: usize) -> Result<Claim, RelayError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let mut connection = self.pool.get().await?;
        let now = self.clock.now();
        let lease = Lease::new(&self.clock, self.lease);
        let events = connection
            .transaction(async |connection| {
                outbox::lease_due_events(connection, now, &lease, limit).await
            })
            .await?;
        Ok(Claim { events, lease })
    }

    /// One statement for all events. Where one of them is lost, all that is left is left: whoever
    /// took it takes the others as well.
    async fn renew(&self, claim: &Claim) -> Renewed {
        let ids: Vec<Uuid> = claim.events.iter().map(|event| event.id).collect();
        let renewed = async {
            let mut connection = self.pool.get().await?;
            Ok::<_, RelayError>(outbox::renew_leases(&mut connection, &ids, &claim.lease).await?)
        };
        match renewed.await {
            Ok(held) if held.len() == ids.len() => Renewed::Held,
            Ok(held) => {
                let lost = ids.len() - held.len();
                log::warn!("relay: {lost} of {} events are another relay's", ids.len());
                Renewed::Lost
            }
            Err(error) => {
                log::warn!(
                    "relay: the lease of {} events is not renewed: {error}",
                    ids.len()
                );
                Renewed::Failed
            }
        }
    }

    async fn settle(&self, claim: &Claim, deliveries: &[Delivery]) -> Result<Round, RelayError> {
        let now = self.clock.now();
        let mut connection = self.pool.get().await?;
        let taken = with(deliveries, |fate| *fate == Fate::Taken);
        outbox::mark_published(&mut connection, &taken, now).await?;
        self.tell_published(claim, &taken, now);
        let untried = with(deliveries, |fate| *fate == Fate::Untried);
        outbox::reschedule(&mut connection, &untried, &claim.lease, now, None).await?;
        let fault = deliveries.iter().find_map(|one| match &one.fate {
            Fate::Unreached(reason) => Some(reason),
            _ => None,
        });
        if let Some(reason) = fault {
            // Due at once: the loop waits, not the event. It goes behind the others that are due.
            let ids = with(deliveries, |fate| matches!(fate, Fate::Unreached(_)));
            outbox::reschedule(&mut connection, &ids, &claim.lease, now, Some(reason)).await?;
        }
        let mut undeliverable = 0;
        for Delivery { id, fate } in deliveries {
            match fate {
                Fate::Refused(reason) => {
                    self.put_off(&mut connection, claim, *id, now, reason)
                        .await?;
                }
                Fate::Undeliverable(reason) => {
                    undeliverable += 1;
                    self.give_up(&mut connection, claim, *id, now, reason)
                        .await?;
                }
                Fate::Taken | Fate::Unreached(_) | Fate::Untried => {}
            }
        }
        let failed = deliveries.len() - taken.len() - untried.len();
        self.metrics
            .sns
            .entries(amount(taken.len()), amount(failed));
        Ok(Round {
            claimed: claim.events.len(),
            taken: taken.len(),
            undeliverable,
            fault: fault.cloned(),
        })
    }

    fn tell_published(&self, claim: &Claim, taken: &[Uuid], now: DateTime<Utc>) {
        self.metrics.outbox.published(amount(taken.len()));
        for event in taken.iter().filter_map(|id| claim.event(*id)) {
            if event.replayed_at.is_none() {
                let took = (now - event.at).to_std().unwrap_or_default();
                self.metrics.uploads.notified_after(took);
            }
            log::info!(
                "event {} of upload {} is published",
                event.id,
                event.upload_id
            );
        }
    }

    /// Refused today: tried again, after a time that grows with each attempt.
    async fn put_off(
        &self,
        connection: &mut Connection,
        claim: &Claim,
        id: Uuid,
        now: DateTime<Utc>,
        reason: &str,
    ) -> Result<(), RelayError> {
        let attempts = (claim.event(id))
            .and_then(|event| u32::try_from(event.attempts).ok())
            .unwrap_or(1);
        let wait = Backoff::default().delay(attempts);
        let due = now + TimeDelta::from_std(wait).unwrap_or_default();
        log::warn!("event {id} is not published, attempt {attempts}: {reason}");
        Ok(outbox::reschedule(connection, &[id], &claim.lease, due, Some(reason)).await?)
    }

    /// Refused for ever: kept, marked, counted and logged once.
    async fn give_up(
        &self,
        connection: &mut Connection,
        claim: &Claim,
        id: Uuid,
        now: DateTime<Utc>,
        reason: &str,
    ) -> Result<(), RelayError> {
        if outbox::mark_undeliverable(connection, id, &claim.lease, now, reason).await? {
            self.metrics.outbox.undeliverable(1);
            log::error!("event {id} is undeliverable and given up: {reason}");
        }
        Ok(())
    }
}

/// The events whose fate is such.
fn with(deliveries: &[Delivery], such: impl Fn(&Fate) -> bool) -> Vec<Uuid> {
    let chosen = deliveries.iter().filter(|delivery| such(&delivery.fate));
    chosen.map(|delivery| delivery.id).collect()
}

fn amount(entries: usize) -> u64 {
    u64::try_from(entries).unwrap_or_default()
}
