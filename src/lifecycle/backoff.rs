//! How long a loop waits before its next try.

use std::time::Duration;

const FIRST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(60);

/// Doubles from half a second to a minute, less up to half of it by chance, so that replicas that
/// failed together do not return together.
pub fn after(failures: u32) -> Duration {
    at_most(LONGEST, failures)
}

/// The same up to another bound than a minute.
pub fn at_most(longest: Duration, failures: u32) -> Duration {
    // Without chance, replicas are only less spread out.
    wait(longest, failures, getrandom::u32().unwrap_or_default())
}

/// The same with any number as the chance.
fn wait(longest: Duration, failures: u32, chance: u32) -> Duration {
    let doubled = FIRST.saturating_mul(2_u32.saturating_pow(failures.saturating_sub(1).min(16)));
    let whole = doubled.min(longest);
    let thousandths = chance % 500;
    whole - whole.mul_f64(f64::from(thousandths) / 1_000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_grows_to_a_minute_and_stays_within_half() {
        assert_eq!(wait(LONGEST, 1, 0), FIRST);
        assert_eq!(wait(LONGEST, 2, 0), FIRST * 2);
        assert_eq!(wait(LONGEST, 40, 0), LONGEST);
        assert_eq!(wait(FIRST * 3, 40, 0), FIRST * 3);
        for chance in [0, 499, 12_345, u32::MAX] {
            let waited = wait(LONGEST, 40, chance);
            assert!(waited <= LONGEST && waited >= LONGEST / 2, "{waited:?}");
        }
    }
}
