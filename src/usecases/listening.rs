//! Whether the store's events reach us, for those who ask how the broker is.

use std::sync::atomic::{AtomicU8, Ordering};

/// The state of the queue that events come from. The loop that reads it tells, readiness asks.
#[derive(Debug, Default)]
pub struct Listening(AtomicU8);

/// What is known of the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// No queue is configured.
    Off,
    /// It has not answered yet; the first answer may take as long as a poll.
    Starting,
    /// It answered when it was asked last.
    Ok,
    /// It did not.
    Unavailable,
}

impl Listening {
    /// Tells what was seen.
    pub fn tell(&self, state: State) {
        let code = match state {
            State::Off => 0,
            State::Starting => 1,
            State::Ok => 2,
            State::Unavailable => 3,
        };
        self.0.store(code, Ordering::Relaxed);
    }

    /// What was told last.
    pub fn now(&self) -> State {
        match self.0.load(Ordering::Relaxed) {
            0 => State::Off,
            1 => State::Starting,
            2 => State::Ok,
            _ => State::Unavailable,
        }
    }
}

impl State {
    /// The name, as it stands in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Starting => "starting",
            Self::Ok => "ok",
            Self::Unavailable => "unavailable",
        }
    }
}
