//! One caller's bucket of tokens, as the time at which it will be full again.
//!
//! That one number is all that a bucket needs (the generic cell rate algorithm): a request moves it
//! by a token's time, and is refused where it would lie further ahead than a full bucket reaches.
//! A clock that is set back can hold a caller up for one window at most.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::config::Rate;

/// A bucket; full at first.
#[derive(Debug, Default)]
pub struct Bucket {
    /// Nanoseconds since 1970.
    full_at: AtomicU64,
}

/// What became of a request for a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Whether there was one.
    pub granted: bool,
    /// Tokens that are left.
    pub left: u64,
    /// After a token: until the bucket is full again. Without one: until there is one.
    pub wait: Duration,
}

impl Bucket {
    /// Takes a token at `now`, nanoseconds since 1970, of a bucket that fills at `rate`.
    pub fn take(&self, rate: Rate, now: u64) -> Taken {
        let period = nanos(rate.period).max(1);
        let reach = period.saturating_mul(rate.burst.into());
        let after = |full_at: u64| {
            let full_at = full_at.clamp(now, now.saturating_add(reach));
            full_at.saturating_add(period)
        };
        let limit = now.saturating_add(reach);
        let step = |full_at: u64| Some(after(full_at)).filter(|full_at| *full_at <= limit);
        match self
            .full_at
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, step)
        {
            Ok(before) => {
                let ahead = after(before).saturating_sub(now);
                Taken {
                    granted: true,
                    left: reach.saturating_sub(ahead).checked_div(period).unwrap_or(0),
                    wait: Duration::from_nanos(ahead),
                }
            }
            Err(before) => Taken {
                granted: false,
                left: 0,
                wait: Duration::from_nanos(after(before).saturating_sub(limit)),
            },
        }
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_800_000_000_000_000_000;
    const SECOND: u64 = 1_000_000_000;

    fn rate(text: &str) -> Rate {
        Rate::parse(text).expect(text)
    }

    #[test]
    fn a_burst_empties_it_and_time_fills_it() {
        let (bucket, rate) = (Bucket::default(), rate("2:3"));
        for left in [2, 1, 0] {
            let taken = bucket.take(rate, NOW);
            assert_eq!((taken.granted, taken.left), (true, left));
        }
        let refused = bucket.take(rate, NOW);
        assert_eq!((refused.granted, refused.left), (false, 0));
        assert_eq!(refused.wait, Duration::from_millis(500));
        // Being refused costs nothing.
        assert_eq!(bucket.take(rate, NOW), refused);
        let taken = bucket.take(rate, NOW + SECOND / 2);
        assert_eq!((taken.granted, taken.left), (true, 0));
        assert!(!bucket.take(rate, NOW + SECOND / 2).granted);
        let rested = bucket.take(rate, NOW + 100 * SECOND);
        assert_eq!((rested.left, rested.wait), (2, Duration::from_millis(500)));
    }

    #[test]
    fn a_clock_that_is_set_back_holds_up_for_one_window_at_most() {
        let (bucket, rate) = (Bucket::default(), rate("1:2"));
        bucket.take(rate, NOW + 3600 * SECOND);
        let refused = bucket.take(rate, NOW);
        assert!(!refused.granted);
        assert_eq!(refused.wait, Duration::from_secs(1));
        assert!(bucket.take(rate, NOW + 3600 * SECOND).granted);
    }

    #[test]
    fn a_thousand_at_once_get_exactly_the_burst() {
        let (bucket, rate) = (Bucket::default(), rate("1:100"));
        let granted = std::thread::scope(|scope| {
            let take = || (0..250).filter(|_| bucket.take(rate, NOW).granted).count();
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(take)).collect();
            let counts = threads
                .into_iter()
                .map(|thread| thread.join().expect("a count"));
            counts.sum::<usize>()
        });
        assert_eq!(granted, 100);
    }
}
