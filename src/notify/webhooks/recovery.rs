//! What applies to the events that wait for an endpoint when it accepts something again.

use chrono::{DateTime, TimeDelta, Utc};

/// How long an event is tried again.
pub(super) const MAX_FAILING: TimeDelta = TimeDelta::days(3);
/// An outage of this length says nothing about the events that failed during it.
const LONG_OUTAGE: TimeDelta = TimeDelta::hours(3);
/// How long an event is tried again after a long outage at least. It is not shorter than an event's
/// back-off, and shorter than [`LONG_OUTAGE`], so that an event that is never accepted disables the endpoint in the
/// end, even if it alone makes the endpoint look down again and again.
const MIN_AFTER_OUTAGE: TimeDelta = TimeDelta::hours(1);

/// The end of a series of failed rounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Recovery {
    /// The events that first failed at or after this time failed because of the endpoint, and are due.
    /// An event that had failed before keeps its own back-off.
    pub(super) failing_since: DateTime<Utc>,
    /// After a long outage, no event counts as failing for longer than since this time.
    pub(super) first_failure: Option<DateTime<Utc>>,
}

impl Recovery {
    /// The end, at `now`, of failed rounds that began at `failing_since`.
    pub(super) fn new(failing_since: DateTime<Utc>, now: DateTime<Utc>) -> Self {
        let is_long = now - failing_since >= LONG_OUTAGE;
        Self {
            failing_since,
            first_failure: is_long.then(|| now - (MAX_FAILING - MIN_AFTER_OUTAGE)),
        }
    }
}
