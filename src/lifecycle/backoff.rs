//! The exponential back-off of every retry in this crate.
//!
//! A caller decides the limits (the first and the longest delay, and after how many failures to
//! give up); the delay itself is computed here and nowhere else.

use std::time::Duration;

/// The first delay where a caller does not choose one.
const FIRST: Duration = Duration::from_millis(500);
/// The longest delay where a caller does not choose one.
const LONGEST: Duration = Duration::from_secs(60);
/// Multiplications after which a delay no longer grows, so that no power overflows.
const MAX_STEPS: u32 = 16;

/// An exponential back-off with jitter.
///
/// The delay grows by the same factor with each failure in a row, from the first delay up to the
/// longest one. Up to half of it is then subtracted at random, so that replicas that failed at the
/// same time do not retry at the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    first: Duration,
    longest: Duration,
    factor: u32,
}

impl Default for Backoff {
    /// Doubles from half a second to a minute.
    fn default() -> Self {
        Self::up_to(LONGEST)
    }
}

impl Backoff {
    /// Doubles from `first` to `longest`.
    pub const fn new(first: Duration, longest: Duration) -> Self {
        Self {
            first,
            longest,
            factor: 2,
        }
    }

    /// Doubles from half a second to `longest`.
    pub const fn up_to(longest: Duration) -> Self {
        Self::new(FIRST, longest)
    }

    /// Multiplies the delay by `factor` after each failure, instead of doubling it.
    pub const fn with_factor(self, factor: u32) -> Self {
        Self { factor, ..self }
    }

    /// The delay after this many failures in a row (1, 2, 3 …), with jitter: between half of
    /// [`full_delay`](Self::full_delay) and all of it.
    pub fn delay(self, failures: u32) -> Duration {
        // Where the system has no random number, replicas are only spread out less.
        self.delay_with(failures, getrandom::u32().unwrap_or_default())
    }

    /// The delay after this many failures in a row, without jitter: for a caller whose retries
    /// have to cover a certain time in all.
    pub fn full_delay(self, failures: u32) -> Duration {
        let steps = failures.saturating_sub(1).min(MAX_STEPS);
        let grown = self.first.saturating_mul(self.factor.saturating_pow(steps));
        grown.min(self.longest)
    }

    /// The same as [`delay`](Self::delay), with any number as the random one.
    fn delay_with(self, failures: u32, random: u32) -> Duration {
        let full = self.full_delay(failures);
        let thousandths = random % 500;
        full - full.mul_f64(f64::from(thousandths) / 1_000.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RANDOM: [u32; 4] = [0, 499, 12_345, u32::MAX];

    #[test]
    fn delay_doubles_up_to_the_longest_one() {
        let backoff = Backoff::default();
        assert_eq!(backoff.full_delay(0), FIRST);
        assert_eq!(backoff.full_delay(1), FIRST);
        assert_eq!(backoff.full_delay(2), FIRST * 2);
        assert_eq!(backoff.full_delay(40), LONGEST);
        assert_eq!(Backoff::up_to(FIRST * 3).full_delay(u32::MAX), FIRST * 3);
    }

    #[test]
    fn delay_starts_and_ends_where_the_caller_decides() {
        let (first, longest) = (Duration::from_secs(30), Duration::from_secs(900));
        let backoff = Backoff::new(first, longest);
        assert_eq!(backoff.full_delay(1), first);
        assert_eq!(backoff.full_delay(2), first * 2);
        assert_eq!(backoff.full_delay(u32::MAX), longest);
        assert_eq!(backoff.with_factor(3).full_delay(3), first * 9);
    }

    #[test]
    fn jitter_subtracts_at_most_half_of_the_delay() {
        for failures in [1, 2, 40] {
            let full = Backoff::default().full_delay(failures);
            for random in RANDOM {
                let delay = Backoff::default().delay_with(failures, random);
                assert!(delay <= full && delay >= full / 2, "{delay:?}");
            }
        }
    }
}
