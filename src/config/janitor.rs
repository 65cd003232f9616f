//! The background work of the janitor.

use std::time::Duration;

use super::parse::{number, seconds};
use super::reader::{Reader, Section};
use super::variables::{
    BROKER_JANITOR_PERIOD_SECONDS, BROKER_LEASE_SECONDS, BROKER_RETENTION_AUDIT_DAYS,
    BROKER_RETENTION_EVENTS_DAYS, BROKER_RETENTION_UPLOADS_DAYS,
    BROKER_STALE_MULTIPART_PERIOD_SECONDS, BROKER_STALE_MULTIPART_SCOPE,
    BROKER_STALE_MULTIPART_SECONDS, BROKER_SWEEP_PAUSE_MILLISECONDS, BROKER_SWEEP_PERIOD_SECONDS,
    BROKER_UPPY_LOOK_SECONDS,
};

const YEAR: u64 = 31_536_000;
/// The shortest allowed age. It is longer than an upload takes from its start in S3 to its row in
/// Postgres, however slow Postgres is and however far the clocks differ: S3 rejects requests that
/// are more than 15 minutes old.
const HOUR: u64 = 3_600;
/// The allowed lengths of a lease. A shorter one would end while a replica waits for a connection
/// to Postgres; a longer one would delay the recovery from every crash by minutes.
const LEASE: std::ops::RangeInclusive<u64> = 3..=300;
/// A hundred years.
const MOST_DAYS: u32 = 36_500;

/// The background work of the janitor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Janitor {
    /// How long a replica keeps a lease without renewing it.
    pub lease: Duration,
    /// The time between two rounds.
    pub period: Duration,
    /// How long after its creation the first check whether an upload has arrived takes place that no
    /// client acknowledges, and the time between two passes of these checks; `None` disables them.
    pub arrival_check: Option<Duration>,
    /// The time from the end of a sweep to the next one; `None` disables sweeps.
    pub sweep_period: Option<Duration>,
    /// The pause after each page of a sweep.
    pub sweep_pause: Duration,
    /// The time from the end of a check for stale multipart uploads to the next one; `None`
    /// disables the checks.
    pub stale_period: Option<Duration>,
    /// Which multipart uploads without an upload session are aborted.
    pub stale_multipart: StaleMultipart,
    /// How many days events are kept; `None` keeps them forever.
    pub events_days: Option<u32>,
    /// How many days ended uploads are kept; `None` keeps them forever.
    pub uploads_days: Option<u32>,
    /// How many days audit records are kept; `None` keeps them forever.
    pub audit_days: Option<u32>,
}

/// Which multipart uploads in the store that belong to no upload session are aborted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StaleMultipart {
    /// How long no part must have arrived before they are aborted; `None` never aborts them.
    pub after: Option<Duration>,
    /// Whether those that another program may have started are aborted, too.
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

/// Whether the scope is the whole bucket.
fn scope(text: &str) -> Result<bool, String> {
    match text {
        "own" => Ok(false),
        "bucket" => Ok(true),
        _ => Err("must be own or bucket".to_owned()),
    }
}

/// Treats zero as disabled.
fn nonzero(period: Duration) -> Option<Duration> {
    (!period.is_zero()).then_some(period)
}

impl Section for Janitor {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let lease = reader.value(&BROKER_LEASE_SECONDS, seconds(LEASE));
        let period = reader.value(&BROKER_JANITOR_PERIOD_SECONDS, seconds(1..=86_400));
        let arrival_check = reader.value(&BROKER_UPPY_LOOK_SECONDS, seconds(0..=HOUR));
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
            arrival_check: nonzero(arrival_check?),
            sweep_period: nonzero(sweep_period?),
            sweep_pause: Duration::from_millis(sweep_pause?),
            stale_period: nonzero(stale_period?),
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
