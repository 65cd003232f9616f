//! What the janitor does, and when.

use std::fmt;
use std::time::Duration;

use super::parse::{number, seconds};
use super::reader::{Reader, Section};
use super::variables::{
    BROKER_JANITOR_PERIOD_SECONDS, BROKER_RETENTION_EVENTS_DAYS, BROKER_RETENTION_UPLOADS_DAYS,
    BROKER_STALE_MULTIPART_SECONDS, BROKER_SWEEP_PAUSE_MILLISECONDS, BROKER_SWEEP_PERIOD_SECONDS,
};

const YEAR: u64 = 31_536_000;
/// Longer than an upload is under way from S3 to its row, however slow Postgres is and whatever
/// the clocks differ: S3 takes no requests of a quarter of an hour ago.
const HOUR: u64 = 3_600;
/// As long as a session may live by default, and as AWS advises for lifecycle rules.
const WEEK: Duration = Duration::from_secs(604_800);
/// A hundred years.
const MOST_DAYS: u32 = 36_500;

/// What the janitor does, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Janitor {
    /// Time between two rounds.
    pub period: Duration,
    /// Time from the end of a sweep to the next one; without it there are none.
    pub sweep_period: Option<Duration>,
    /// Rest after each page of a sweep.
    pub sweep_pause: Duration,
    /// When multipart uploads that no upload knows are aborted.
    pub stale_multipart: StaleMultipart,
    /// How many days events are kept; without it for ever.
    pub events_days: Option<u32>,
    /// How many days uploads that ended are kept; without it for ever.
    pub uploads_days: Option<u32>,
}

/// When multipart uploads at the store that no upload knows are aborted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StaleMultipart {
    /// After nothing has come to them for so long; without it never.
    pub after: Option<Duration>,
    /// Whether also where another program may have begun them.
    pub everywhere: bool,
}

impl Default for StaleMultipart {
    fn default() -> Self {
        Self {
            after: Some(WEEK),
            everywhere: false,
        }
    }
}

impl fmt::Display for StaleMultipart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.after.unwrap_or_default().as_secs();
        seconds.fmt(f)
    }
}

fn stale_multipart(text: &str) -> Result<StaleMultipart, String> {
    let after = match text {
        "0" => None,
        _ => {
            Some(seconds(HOUR..=YEAR)(text).map_err(|detail| format!("{detail}, or 0 for never"))?)
        }
    };
    Ok(StaleMultipart {
        after,
        everywhere: true,
    })
}

impl Section for Janitor {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let period = reader.value(&BROKER_JANITOR_PERIOD_SECONDS, seconds(1..=86_400));
        let sweep_period = reader.value(&BROKER_SWEEP_PERIOD_SECONDS, seconds(0..=YEAR));
        let sweep_pause = reader.value(&BROKER_SWEEP_PAUSE_MILLISECONDS, number(0..=60_000));
        let stale_multipart = reader.derived(
            &BROKER_STALE_MULTIPART_SECONDS,
            stale_multipart,
            StaleMultipart::default(),
        );
        let events_days = reader.optional(&BROKER_RETENTION_EVENTS_DAYS, number(1..=MOST_DAYS));
        let uploads_days = reader.optional(&BROKER_RETENTION_UPLOADS_DAYS, number(1..=MOST_DAYS));
        Some(Self {
            period: period?,
            sweep_period: sweep_period.map(|period| (!period.is_zero()).then_some(period))?,
            sweep_pause: Duration::from_millis(sweep_pause?),
            stale_multipart: stale_multipart?,
            events_days: events_days?,
            uploads_days: uploads_days?,
        })
    }
}
