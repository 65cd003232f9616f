//! How long a message stays invisible, and how long it waits before it is processed again.

use std::time::Duration;

use crate::lifecycle::backoff::Backoff;

/// The longest delay before a message is processed again.
const MAX_DELAY: Duration = Duration::from_secs(900);

/// The time limits and delays of a queue, in whole seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueueTiming {
    /// How long a receive call waits for a message (long polling); at most 20 seconds.
    pub wait_time: Duration,
    /// How long a received message is invisible to other readers, unless that time is extended.
    pub visibility_timeout: Duration,
    /// The first delay of a message that arrived before the row of its upload was visible.
    pub missing_row_delay: Duration,
}

impl Default for QueueTiming {
    fn default() -> Self {
        Self {
            wait_time: Duration::from_secs(20),
            // The timeout is short, so that the messages of a dead process are soon visible again. The
            // reader extends it while it processes a message.
            visibility_timeout: Duration::from_secs(15),
            missing_row_delay: Duration::from_secs(5),
        }
    }
}

impl QueueTiming {
    /// Returns the delay of a message whose row is not visible yet, after the given number of receives.
    /// The delay triples each time: five receives cover the time during which a row may be invisible, so
    /// that a queue whose redrive policy allows only a few receives does not give up on the message.
    pub fn delay_without_row(self, receives: u32) -> Duration {
        let backoff = Backoff::new(self.missing_row_delay, MAX_DELAY).with_factor(3);
        backoff.full_delay(receives)
    }

    /// Returns the delay of a message whose processing failed, after the given number of receives. The
    /// delay doubles each time: ten receives cover an outage of an hour.
    pub fn delay_after_failure(self, receives: u32) -> Duration {
        Backoff::new(self.visibility_timeout, MAX_DELAY).full_delay(receives)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn total_delay(delay: impl Fn(QueueTiming, u32) -> Duration, receives: u32) -> Duration {
        (1..receives)
            .map(|n| delay(QueueTiming::default(), n))
            .sum()
    }

    #[test]
    fn few_receives_cover_a_long_time_and_no_delay_exceeds_the_maximum() {
        assert!(total_delay(QueueTiming::delay_without_row, 5) > Duration::from_secs(120));
        assert!(total_delay(QueueTiming::delay_after_failure, 10) > Duration::from_secs(3_600));
        for receives in [0, 1, 40, u32::MAX] {
            assert!(QueueTiming::default().delay_without_row(receives) <= MAX_DELAY);
            assert!(QueueTiming::default().delay_after_failure(receives) <= MAX_DELAY);
        }
    }
}
