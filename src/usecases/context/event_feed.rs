//! The live streams of this process, and the channels through which they get events.
//!
//! The loop of the feed reads the events of every tenant with a stream once, and sends them to all
//! streams of that tenant. A channel is bounded: a stream that falls behind misses messages, which
//! its receiver reports, and reads from Postgres what it has missed.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, broadcast};

use crate::domain::feed::{FeedCursor, FeedEvent, Position};
use crate::telemetry::metrics::Metrics;

/// The number of messages that a channel keeps for streams that have not taken them.
const KEPT_MESSAGES: usize = 16;

/// The most live streams of this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamLimits {
    /// Of all tenants together.
    pub total: usize,
    /// Of one tenant.
    pub per_tenant: usize,
}

/// A limit of streams that is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamLimit {
    /// The one of the process.
    Total(usize),
    /// The one of the tenant.
    PerTenant(usize),
}

/// What the streams of a tenant get.
#[derive(Clone, Debug)]
pub enum FeedMessage {
    /// The next events, in order.
    Events(Arc<[FeedEvent]>),
    /// The order was lost, because the database was replaced. The feed continues at this place.
    Reset(FeedCursor),
}

/// The streams of this process. Cheap to clone; all clones share their state.
#[derive(Clone)]
pub struct EventFeed(Arc<Shared>);

struct Shared {
    state: Mutex<State>,
    limits: StreamLimits,
    metrics: Arc<Metrics>,
    wake: Arc<Notify>,
}

#[derive(Default)]
struct State {
    tenants: HashMap<String, Tenant>,
    streams: usize,
}

/// A tenant with at least one stream.
struct Tenant {
    sender: broadcast::Sender<FeedMessage>,
    /// The position up to which its events were sent.
    sent: Position,
    streams: usize,
}

impl EventFeed {
    /// A feed without streams. `wake` wakes the loop that reads events.
    pub fn new(limits: StreamLimits, metrics: Arc<Metrics>, wake: Arc<Notify>) -> Self {
        Self(Arc::new(Shared {
            state: Mutex::default(),
            limits,
            metrics,
            wake,
        }))
    }

    /// Opens a stream of a tenant. It gets every event after `position` from the loop, unless the
    /// tenant has other streams: then it gets those that are not sent to them yet.
    ///
    /// # Errors
    /// The limit that is reached.
    pub(in crate::usecases) fn open(
        &self,
        tenant: &str,
        position: Position,
    ) -> Result<Subscription, StreamLimit> {
        let limits = self.0.limits;
        let mut state = self.state();
        if state.streams >= limits.total {
            return Err(StreamLimit::Total(limits.total));
        }
        let entry = state.tenants.entry(tenant.to_owned());
        let of_tenant = entry.or_insert_with(|| Tenant {
            sender: broadcast::Sender::new(KEPT_MESSAGES),
            sent: position,
            streams: 0,
        });
        if of_tenant.streams >= limits.per_tenant {
            // The entry is not new, because a limit is at least 1.
            return Err(StreamLimit::PerTenant(limits.per_tenant));
        }
        of_tenant.streams += 1;
        let messages = of_tenant.sender.subscribe();
        state.streams += 1;
        drop(state);
        self.0.metrics.feed.stream_opened();
        self.wake();
        Ok(Subscription {
            feed: self.clone(),
            tenant: tenant.to_owned(),
            messages,
        })
    }

    /// Every tenant with a stream, and the position up to which its events were sent.
    pub(in crate::usecases) fn readers(&self) -> Vec<(String, Position)> {
        let state = self.state();
        let readers = state.tenants.iter();
        readers
            .map(|(name, tenant)| (name.clone(), tenant.sent))
            .collect()
    }

    /// Whether there is a stream.
    pub fn has_streams(&self) -> bool {
        self.state().streams > 0
    }

    /// Sends events to the streams of a tenant.
    pub(in crate::usecases) fn send(&self, tenant: &str, events: Vec<FeedEvent>) {
        let Some(last) = events.last().map(|event| event.position) else {
            return;
        };
        if let Some(tenant) = self.state().tenants.get_mut(tenant) {
            tenant.sent = tenant.sent.max(last);
            // It fails only if all streams have just ended.
            let _ = tenant.sender.send(FeedMessage::Events(events.into()));
        }
    }

    /// Continues all streams at `cursor`, which is in an order of events that has replaced theirs.
    pub(in crate::usecases) fn reset(&self, cursor: FeedCursor) {
        for tenant in self.state().tenants.values_mut() {
            tenant.sent = cursor.position;
            let _ = tenant.sender.send(FeedMessage::Reset(cursor));
        }
    }

    /// Wakes the loop that reads events.
    pub(in crate::usecases) fn wake(&self) {
        self.0.wake.notify_one();
    }

    /// Waits until the loop is woken: an event was written, or a stream was opened.
    pub async fn woken(&self) {
        self.0.wake.notified().await;
    }

    /// Each change is one step, so that a panic leaves the state whole.
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The place of one stream. Dropping it frees the place.
pub(in crate::usecases) struct Subscription {
    feed: EventFeed,
    tenant: String,
    /// The messages since the subscription.
    pub(in crate::usecases) messages: broadcast::Receiver<FeedMessage>,
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let mut state = self.feed.state();
        state.streams = state.streams.saturating_sub(1);
        if let Some(tenant) = state.tenants.get_mut(&self.tenant) {
            tenant.streams = tenant.streams.saturating_sub(1);
            if tenant.streams == 0 {
                state.tenants.remove(&self.tenant);
            }
        }
        drop(state);
        self.feed.0.metrics.feed.stream_closed();
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    fn feed(total: usize, per_tenant: usize) -> EventFeed {
        let metrics = Metrics::new(DateTime::default()).expect("metrics");
        let limits = StreamLimits { total, per_tenant };
        EventFeed::new(limits, Arc::new(metrics), Arc::default())
    }

    #[test]
    fn place_is_free_again_when_its_stream_ends() {
        let feed = feed(3, 2);
        let open = |tenant| feed.open(tenant, Position::START);
        let first = open("a").expect("a place");
        let _second = open("a").expect("a place");
        assert_eq!(open("a").err(), Some(StreamLimit::PerTenant(2)));
        let other = open("b").expect("a place");
        assert_eq!(open("c").err(), Some(StreamLimit::Total(3)));
        drop((first, other));
        assert_eq!(feed.readers().len(), 1, "b has no stream any more");
        open("a").expect("a place");
        open("c").expect("a place");
    }
}
