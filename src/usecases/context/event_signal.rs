//! Wakes the loops that send events.

use std::sync::Arc;

use tokio::sync::Notify;

/// Notified when this process has written an event. Each loop that sends events has a signal of its
/// own, so that none takes the signal of another.
#[derive(Debug, Default)]
pub struct EventSignal {
    /// The signal of the relay, which publishes to SNS.
    pub relay: Arc<Notify>,
    /// The signal of the loop that sends webhooks.
    pub webhooks: Arc<Notify>,
    /// The signal of the loop that reads events for live streams.
    pub feed: Arc<Notify>,
}

impl EventSignal {
    /// Wakes each of the loops, now or when it next waits.
    pub fn notify_one(&self) {
        self.relay.notify_one();
        self.webhooks.notify_one();
        self.feed.notify_one();
    }
}
