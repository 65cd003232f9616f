//! What the janitor does, and when.

use std::time::Duration;

use super::parse::{number, seconds};
use super::reader::{Reader, Section};
use super::variables::{
    BROKER_JANITOR_PERIOD_SECONDS, BROKER_LEASE_SECONDS, BROKER_RETENTION_AUDIT_DAYS,
    BROKER_RETENTION_EVENTS_DAYS, BROKER_RETENTION_UPLOADS_DAYS,
    BROKER_STALE_MULTIPART_PERIOD_SECONDS, BROKER_STALE_MULTIPART_SCOPE,
    BROKER_STALE_MULTIPART_SECONDS, BROKER_SWEEP_PAUSE_MILLISECONDS, BROKER_SWEEP_PERIOD_SECONDS,
};

const YEAR: u64 = 31_536_000;
/// Longer than an upload is under way from S3 to its row, however slow Postgres is and whatever
/// the clocks differ: S3 takes no requests of a quarter of an hour ago.
const HOUR: u64 = 3_600;
/// Shorter ones would end while a replica waits for a connection to Postgres; longer ones make every
/// crash felt for minutes.
const LEASE: std::ops::RangeInclusive<u64> = 3..=300;
/// A hundred years.
const MOST_DAYS: u32 = 36_500;

/// What the janitor does, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Janitor {
    /// How long a replica that gives no sign of life keeps what it works on.
    pub lease: Duration,
    /// Time between two rounds.
    pub period: Duration,
    /// Time from the end of a sweep to the next one; without it there are none.
    pub sweep_period: Option<Duration>,
    /// Rest after each page of a sweep.
    pub sweep_pause: Duration,
    /// Time from the end of a look at the open multipart uploads to the next one; without it there
    /// are none.
    pub stale_period: Option<Duration>,
    /// When multipart uploads that no upload knows are aborted.
    pub stale_multipart: StaleMultipart,
    /// How many days events are kept; without it for ever.
    pub events_days: Option<u32>,
    /// How many days uploads that ended are kept; without it for ever.
    pub uploads_days: Option<u32>,
    /// How many days rows of the audit are kept; without it for ever.
    pub audit_days: Option<u32>,
}

/// When multipart uploads at the store that no upload knows are aborted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StaleMultipart {
    /// After nothing has come to them for so long; without it never.
    pub after: Option<Duration>,
    /// Whether also where another program may have begun them.
    pub whole_bucket: bool,
}

fn stale_after(text: &str) -> Result<Option<Duration>, String> {
    if text == "0" {
        return Ok(None);
    }
    let after = seconds(HOUR..=YEAR)(text);
    after
        .map(Some)
        .map_err(|detail| format!("{detail}, or 0 for never"))
}

/// Whether it is the whole bucket.
fn scope(text: &str) -> Result<bool, String> {
    match text {
        "own" => Ok(false),
        "bucket" => Ok(true),
        _ => Err("must be own or bucket".to_owned()),
    }
}

/// Zero is never.
fn unless_zero(period: Duration) -> Option<Duration> {
    (!period.is_zero()).then_some(period)
}

impl Section for Janitor {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let lease = reader.value(&BROKER_LEASE_SECONDS, seconds(LEASE));
        let period = reader.value(&BROKER_JANITOR_PERIOD_SECONDS, seconds(1..=86_400));
        let sweep_period = reader.value(&BROKER_SWEEP_PERIOD_SECONDS, seconds(0..=YEAR));
        let sweep_pause = reader.value(&BROKER_SWEEP_PAUSE_MILLISECONDS, number(0..=60_000));
        let stale_period = reader.value(&BROKER_STALE_MULTIPART_PERIOD_SECONDS, seconds(0..=YEAR));
        let after = reader.value(&BROKER_STALE_MULTIPART_SECONDS, stale_after);
        let whole_bucket = reader.value(&BROKER_STALE_MULTIPART_SCOPE, scope);
        let events_days = reader.optional(&BROKER_RETENTION_EVENTS_DAYS, number(1..=MOST_DAYS));
        let uploads_days = reader.optional(&BROKER_RETENTION_UPLOADS_DAYS, number(1..=MOST_DAYS));
        let audit_days = reader.optional(&BROKER_RETENTION_AUDIT_DAYS, number(1..=MOST_DAYS));
        Some(Self {
            lease: lease?,
            period: period?,
            sweep_period: unless_zero(sweep_period?),
            sweep_pause: Duration::from_millis(sweep_pause?),
            stale_period: unless_zero(stale_period?),
            stale_multipart: StaleMultipart {
                after: after?,
                whole_bucket: whole_bucket?,
            },
            events_days: events_days?,
            uploads_days: uploads_days?,
            audit_days: audit_days?,
        })
    }
}
