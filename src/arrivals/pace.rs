//! How long messages are ours, and how long they wait where they cannot be done now.

use std::time::Duration;

use crate::lifecycle::backoff::Backoff;

/// The longest that a message is put off.
const LONGEST: Duration = Duration::from_secs(900);

/// How long things take at the queue, in whole seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// How long a receive waits for a message; 20 at most.
    pub poll: Duration,
    /// How long a message is ours, unless that is extended.
    pub visibility: Duration,
    /// How long a message waits that came before its row.
    pub early: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            poll: Duration::from_secs(20),
            // Short, as it is extended: what a dead process had at hand is back soon.
            visibility: Duration::from_secs(15),
            early: Duration::from_secs(5),
        }
    }
}

impl Pace {
    /// How long a message waits that came before its row. Trebles: five looks cover the time in
    /// which a row may be invisible, so that a queue which gives up after a few receives does not
    /// give up on these.
    pub(super) fn early_again(self, receives: u32) -> Duration {
        let backoff = Backoff::new(self.early, LONGEST).with_factor(3);
        backoff.full_delay(receives)
    }

    /// How long a message waits that a fault kept from being done. Doubles: ten receives cover an
    /// outage of an hour.
    pub(super) fn later(self, receives: u32) -> Duration {
        Backoff::new(self.visibility, LONGEST).full_delay(receives)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waited(wait: impl Fn(Pace, u32) -> Duration, receives: u32) -> Duration {
        (1..receives).map(|n| wait(Pace::default(), n)).sum()
    }

    #[test]
    fn few_receives_last_for_long() {
        assert!(waited(Pace::early_again, 5) > Duration::from_secs(120));
        assert!(waited(Pace::later, 10) > Duration::from_secs(3_600));
        for receives in [0, 1, 40, u32::MAX] {
            assert!(Pace::default().early_again(receives) <= LONGEST);
            assert!(Pace::default().later(receives) <= LONGEST);
        }
    }
}
