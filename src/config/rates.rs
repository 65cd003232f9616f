//! Rate limits.

use std::time::Duration;

use super::network::Network;
use super::parse::{fractional_seconds, list, number};
use super::reader::{Reader, Section};
use super::variables::{
    BROKER_RATE_LIMIT_PER_ADDRESS, BROKER_RATE_LIMIT_PER_KEY, BROKER_TRUSTED_PROXIES,
};

/// The highest rate in requests per second, and the largest burst.
const MOST: u32 = 1_000_000;

/// The rate limits, and the proxies that are trusted to report client addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rates {
    /// The limit of each principal; `None` if there is no limit.
    pub per_key: Option<Rate>,
    /// The limit of each client address; `None` if there is no limit.
    pub per_address: Option<Rate>,
    /// The proxies that are trusted to report client addresses.
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

/// A token bucket; each request takes one token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// How long it takes to add one token.
    pub period: Duration,
    /// The capacity of the bucket in tokens, at least one.
    pub burst: u32,
}

impl Rate {
    /// Parses the requests per second, with or without a fraction, and after a colon the burst
    /// size: `20`, `0.5`, `20:100`. The default burst is the rate, rounded up.
    ///
    /// # Errors
    /// A phrase that says what is expected.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (rate, burst) = match text.split_once(':') {
            Some((rate, burst)) => (rate, Some(burst)),
            None => (text, None),
        };
        let expected = || {
            format!(
                "must be requests per second (0.001 to {MOST}), optionally with a colon and the burst \
                 size (1 to {MOST}): 20:100"
            )
        };
        // Parsed as a duration; the period of the bucket is its reciprocal.
        let per_second = fractional_seconds(MOST.into())(rate)
            .map_err(|_| expected())?
            .0;
        let burst = match burst {
            Some(burst) => number(1..=MOST)(burst).map_err(|_| expected())?,
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

/// The rate, rounded up.
fn whole(per_second: Duration) -> u32 {
    let whole = per_second.as_secs() + u64::from(per_second.subsec_nanos() > 0);
    u32::try_from(whole).unwrap_or(MOST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rate_is_parsed_with_and_without_burst() {
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
    fn invalid_rate_is_rejected() {
        for bad in [
            "0", "-1", "20:0", "20:", ":20", "20/s", "20:1:1", "1000001", "NaN", "inf",
        ] {
            let fault = Rate::parse(bad).expect_err(bad);
            assert!(fault.contains("20:100"), "{fault}");
        }
    }
}
