//! How often callers may call.

use std::time::Duration;

use super::network::Network;
use super::parse::{fraction, list, number};
use super::reader::{Reader, Section};
use super::variables::{
    BROKER_RATE_LIMIT_PER_ADDRESS, BROKER_RATE_LIMIT_PER_KEY, BROKER_TRUSTED_PROXIES,
};

/// The most requests a second, and the largest burst, that a limit may name.
const MOST: u32 = 1_000_000;

/// How often callers may call, and who is believed about where they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rates {
    /// Of each principal; without one, as often as it likes.
    pub per_key: Option<Rate>,
    /// Of each address; without one, as often as it likes.
    pub per_address: Option<Rate>,
    /// The proxies whose word for a client's address counts.
    pub trusted_proxies: Vec<Network>,
}

impl Section for Rates {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let per_key = reader.optional(&BROKER_RATE_LIMIT_PER_KEY, Rate::parse);
        let per_address = reader.optional(&BROKER_RATE_LIMIT_PER_ADDRESS, Rate::parse);
        let trusted_proxies = reader.optional(&BROKER_TRUSTED_PROXIES, list(Network::parse));
        Some(Self {
            per_key: per_key?,
            per_address: per_address?,
            trusted_proxies: trusted_proxies?.unwrap_or_default(),
        })
    }
}

/// A bucket of tokens: one request takes one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// How long until a token comes back.
    pub period: Duration,
    /// Tokens in a full bucket, at least one.
    pub burst: u32,
}

impl Rate {
    /// Reads requests a second, with or without a fraction, and after a colon how many may come at
    /// once: `20`, `0.5`, `20:100`. Without a colon, as many as come back in a second.
    ///
    /// # Errors
    /// A phrase that says what would be right.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (rate, burst) = match text.split_once(':') {
            Some((rate, burst)) => (rate, Some(burst)),
            None => (text, None),
        };
        let right = || {
            format!(
                "must be requests a second (0.001 to {MOST}), and after a colon how many may come \
                 at once (1 to {MOST}): 20:100"
            )
        };
        // Read as a time: the reciprocal of one is the other.
        let per_second = fraction(MOST.into())(rate).map_err(|_| right())?.0;
        let burst = match burst {
            Some(burst) => number(1..=MOST)(burst).map_err(|_| right())?,
            None => whole(per_second),
        };
        let period = Duration::from_secs_f64(per_second.as_secs_f64().recip());
        Ok(Self { period, burst })
    }

    /// How long an empty bucket takes to fill.
    pub fn window(&self) -> Duration {
        self.period.saturating_mul(self.burst)
    }
}

/// Rounded up, at least one.
fn whole(per_second: Duration) -> u32 {
    let whole = per_second.as_secs() + u64::from(per_second.subsec_nanos() > 0);
    u32::try_from(whole).unwrap_or(MOST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_read() {
        let read = |text: &str| {
            let rate = Rate::parse(text).expect(text);
            (rate.period.as_micros(), rate.burst)
        };
        assert_eq!(read("20"), (50_000, 20));
        assert_eq!(read("20:100"), (50_000, 100));
        assert_eq!(read("0.5"), (2_000_000, 1));
        assert_eq!(read("2.5"), (400_000, 3));
        assert_eq!(read("1000000:1"), (1, 1));
        let window = Rate::parse("20:100").expect("a rate").window();
        assert_eq!(window, Duration::from_secs(5));
    }

    #[test]
    fn what_is_no_rate_is_refused() {
        for bad in [
            "0", "-1", "20:0", "20:", ":20", "20/s", "20:1:1", "1000001", "NaN", "inf",
        ] {
            let fault = Rate::parse(bad).expect_err(bad);
            assert!(fault.contains("20:100"), "{fault}");
        }
    }
}
