//! Reads the new events of all tenants with live streams, and sends them to the streams.

use std::sync::Arc;
use std::time::Duration;

use super::renumber::renumber;
use crate::domain::feed::{FeedCursor, FeedEvent, Position};
use crate::store::feed::{self, Transactions};
use crate::usecases::context::Broker;
use crate::usecases::error::Result;

/// The number of events of one tenant that a statement reads.
const EVENTS: i64 = 100;
/// The number of tenants whose events one statement reads.
const TENANTS: usize = 50;
/// How long events are held back by an open transaction before that is logged.
const HELD_TOO_LONG: Duration = Duration::from_secs(30);

/// Reads new events, round by round.
pub struct Poller {
    broker: Arc<Broker>,
    /// The state of the transactions in the last round.
    known: Option<Transactions>,
    /// Whether it was logged that events are held back.
    has_warned: bool,
}

impl Poller {
    /// A poller that has read nothing yet.
    pub fn new(broker: Arc<Broker>) -> Self {
        Self {
            broker,
            known: None,
            has_warned: false,
        }
    }

    /// Reads the new events. Returns whether there may be more of them already.
    ///
    /// # Errors
    /// Postgres is unavailable.
    pub async fn run_once(&mut self) -> Result<bool> {
        let mut connection = self.broker.connection().await?;
        let mut current = feed::transactions(&mut connection).await?;
        let is_restored = current.cluster != current.numbered_by;
        if is_restored {
            renumber(&mut connection).await?;
            current = feed::transactions(&mut connection).await?;
        }
        // The same cluster has gone back after a restore to an earlier time, or after a failover to
        // a standby that lacks the last transactions.
        let is_other =
            |known: &Transactions| known.cluster != current.cluster || known.next > current.next;
        if is_restored || self.known.as_ref().is_some_and(is_other) {
            log::warn!("event feed: the database was replaced: live streams get a reset");
            self.broker.feed.reset(FeedCursor {
                cluster: current.cluster,
                position: Position::before(current.oldest),
            });
        }
        self.known = Some(current);
        let mut more = false;
        let mut held = Duration::ZERO;
        for readers in self.broker.feed.readers().chunks(TENANTS) {
            let events = feed::read(&mut connection, readers, EVENTS).await?;
            more |= self.send(events);
            let tenants: Vec<_> = readers.iter().map(|(tenant, _)| tenant.clone()).collect();
            if let Some(at) = feed::oldest_held(&mut connection, &tenants).await? {
                let age = self.broker.clock.now() - at;
                held = held.max(age.to_std().unwrap_or_default());
            }
        }
        self.report_held(held);
        Ok(more)
    }

    /// Sends events, which are in the order of their tenants, to the streams. Returns whether a
    /// tenant has as many of them as were asked for.
    fn send(&self, events: Vec<(String, FeedEvent)>) -> bool {
        let mut is_full = false;
        for of_tenant in events.chunk_by(|(one, _), (next, _)| one == next) {
            let Some((tenant, _)) = of_tenant.first() else {
                continue;
            };
            is_full |= i64::try_from(of_tenant.len()).is_ok_and(|read| read >= EVENTS);
            let events = of_tenant.iter().map(|(_, event)| event.clone());
            self.broker.feed.send(tenant, events.collect());
        }
        is_full
    }

    fn report_held(&mut self, held: Duration) {
        self.broker.metrics.feed.held(held);
        let too_long = held > HELD_TOO_LONG;
        if too_long && !self.has_warned {
            log::warn!(
                "event feed: events have been held back for {} s: a transaction in the Postgres cluster has written something and is still open (see pg_stat_activity.backend_xid and pg_prepared_xacts)",
                held.as_secs()
            );
        }
        self.has_warned = too_long;
    }
}
