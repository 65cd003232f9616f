//! Whether S3's events reach the broker, for readiness.

use std::sync::atomic::{AtomicU8, Ordering};

/// The state of the queue that S3's events come from. The loop that reads it sets the state,
/// readiness reads it.
#[derive(Debug, Default)]
pub struct S3Events(AtomicU8);

/// What is known of the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QueueState {
    /// No queue is configured.
    Off,
    /// The queue has not answered yet; the first answer may take as long as a poll.
    Starting,
    /// The queue answered the last poll.
    Ok,
    /// The queue did not answer the last poll.
    Unavailable,
}

impl S3Events {
    /// Sets the state.
    pub fn set(&self, state: QueueState) {
        let code = match state {
            QueueState::Off => 0,
            QueueState::Starting => 1,
            QueueState::Ok => 2,
            QueueState::Unavailable => 3,
        };
        self.0.store(code, Ordering::Relaxed);
    }

    /// The state that was set last.
    pub fn get(&self) -> QueueState {
        match self.0.load(Ordering::Relaxed) {
            0 => QueueState::Off,
            1 => QueueState::Starting,
            2 => QueueState::Ok,
            _ => QueueState::Unavailable,
        }
    }
}

impl QueueState {
    /// The name in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Starting => "starting",
            Self::Ok => "ok",
            Self::Unavailable => "unavailable",
        }
    }
}
