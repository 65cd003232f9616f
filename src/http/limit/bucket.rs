//! A token bucket, stored as the time at which it will be full again.
//!
//! This is the generic cell rate algorithm: a request moves that time forward by the period of one
//! token, and is rejected if it would then be further ahead than a full bucket lasts. A clock that
//! is set back delays a caller by at most one window.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::config::Rate;

/// A token bucket. It starts full.
#[derive(Debug, Default)]
pub struct Bucket {
    /// When the bucket will be full, in nanoseconds since 1970.
    full_at: AtomicU64,
}

/// The result of taking a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Whether a token was available.
    pub granted: bool,
    /// The number of remaining tokens.
    pub left: u64,
    /// If a token was taken, the time until the bucket is full again; otherwise the time until the
    /// next token is available.
    pub wait: Duration,
}

impl Bucket {
    /// Takes a token. `now` is in nanoseconds since 1970; the bucket fills at `rate`.
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
    fn burst_empties_bucket_and_time_refills_it() {
        let (bucket, rate) = (Bucket::default(), rate("2:3"));
        for left in [2, 1, 0] {
            let taken = bucket.take(rate, NOW);
            assert_eq!((taken.granted, taken.left), (true, left));
        }
        let refused = bucket.take(rate, NOW);
        assert_eq!((refused.granted, refused.left), (false, 0));
        assert_eq!(refused.wait, Duration::from_millis(500));
        // A rejected request takes no token.
        assert_eq!(bucket.take(rate, NOW), refused);
        let taken = bucket.take(rate, NOW + SECOND / 2);
        assert_eq!((taken.granted, taken.left), (true, 0));
        assert!(!bucket.take(rate, NOW + SECOND / 2).granted);
        let rested = bucket.take(rate, NOW + 100 * SECOND);
        assert_eq!((rested.left, rested.wait), (2, Duration::from_millis(500)));
    }

    #[test]
    fn clock_set_back_delays_by_at_most_one_window() {
        let (bucket, rate) = (Bucket::default(), rate("1:2"));
        bucket.take(rate, NOW + 3600 * SECOND);
        let refused = bucket.take(rate, NOW);
        assert!(!refused.granted);
        assert_eq!(refused.wait, Duration::from_secs(1));
        assert!(bucket.take(rate, NOW + 3600 * SECOND).granted);
    }

    #[test]
    fn concurrent_requests_get_exactly_the_burst() {
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
