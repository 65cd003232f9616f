//! What the janitor does, and when.

use std::time::Duration;

use super::parse::{number, seconds};
use super::reader::{Reader, Section};
use super::variables::{
    BROKER_JANITOR_PERIOD_SECONDS, BROKER_RETENTION_EVENTS_DAYS, BROKER_RETENTION_UPLOADS_DAYS,
    BROKER_SWEEP_PAUSE_MILLISECONDS, BROKER_SWEEP_PERIOD_SECONDS,
};

const YEAR: u64 = 31_536_000;
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
    /// How many days events are kept; without it for ever.
    pub events_days: Option<u32>,
    /// How many days uploads that ended are kept; without it for ever.
    pub uploads_days: Option<u32>,
}

impl Section for Janitor {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let period = reader.value(&BROKER_JANITOR_PERIOD_SECONDS, seconds(1..=86_400));
        let sweep_period = reader.value(&BROKER_SWEEP_PERIOD_SECONDS, seconds(0..=YEAR));
        let sweep_pause = reader.value(&BROKER_SWEEP_PAUSE_MILLISECONDS, number(0..=60_000));
        let events_days = reader.optional(&BROKER_RETENTION_EVENTS_DAYS, number(1..=MOST_DAYS));
        let uploads_days = reader.optional(&BROKER_RETENTION_UPLOADS_DAYS, number(1..=MOST_DAYS));
        Some(Self {
            period: period?,
            sweep_period: sweep_period.map(|period| (!period.is_zero()).then_some(period))?,
            sweep_pause: Duration::from_millis(sweep_pause?),
            events_days: events_days?,
            uploads_days: uploads_days?,
        })
    }
}
