//! The source of the current time.
//!
//! Every time that is stored or compared comes from a [`Clock`]. It is truncated to microseconds,
//! because Postgres stores no more: a more precise time would differ from the one that is read
//! back. Reading the clock cannot fail.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, SubsecRound as _, TimeDelta, Utc};

/// A clock. Cheap to clone; the clones of a manual clock share their time.
#[derive(Clone, Debug)]
pub struct Clock(Source);

#[derive(Clone, Debug)]
enum Source {
    System,
    /// Microseconds since 1970-01-01T00:00:00Z.
    Manual(Arc<AtomicI64>),
}

impl Clock {
    /// The clock of the machine.
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// A clock that starts at `start` and changes only when [`advance`](Self::advance) is called.
    pub fn manual(start: DateTime<Utc>) -> Self {
        Self(Source::Manual(Arc::new(AtomicI64::new(
            start.timestamp_micros(),
        ))))
    }

    /// The current time, truncated to microseconds.
    pub fn now(&self) -> DateTime<Utc> {
        match &self.0 {
            Source::System => system_now().trunc_subsecs(6),
            Source::Manual(micros) => from_micros(micros.load(Ordering::SeqCst)),
        }
    }

    /// The time of a manual clock; `None` for the clock of the machine. Times on which several
    /// machines must agree, such as the end of a lease, come from the clock of Postgres, unless a
    /// test uses a manual clock.
    pub fn manual_now(&self) -> Option<DateTime<Utc>> {
        match &self.0 {
            Source::System => None,
            Source::Manual(_) => Some(self.now()),
        }
    }

    /// Moves a manual clock and its clones by `by`, which may be negative, and returns the new
    /// time. It stops at the first and the last time that chrono can represent. The clock of the
    /// machine cannot be moved: it returns the current time.
    pub fn advance(&self, by: TimeDelta) -> DateTime<Utc> {
        if let Source::Manual(micros) = &self.0 {
            let limit = if by < TimeDelta::zero() {
                i64::MIN
            } else {
                i64::MAX
            };
            let by = by.num_microseconds().unwrap_or(limit);
            let moved = |present: i64| Some(present.saturating_add(by));
            // The closure never returns `None`, so the update cannot fail.
            let _ = micros.fetch_update(Ordering::SeqCst, Ordering::SeqCst, moved);
        }
        self.now()
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the only place that reads the clock of the machine"
)]
fn system_now() -> DateTime<Utc> {
    Utc::now()
}

fn from_micros(micros: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(micros).unwrap_or(if micros < 0 {
        DateTime::<Utc>::MIN_UTC
    } else {
        DateTime::<Utc>::MAX_UTC
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start() -> DateTime<Utc> {
        "2025-03-01T10:00:00.123456789Z".parse().expect("a time")
    }

    #[test]
    fn manual_clock_and_its_clones_change_only_by_advance() {
        let clock = Clock::manual(start());
        let clone = clock.clone();
        assert_eq!(clock.now(), clock.now());

        let moved = clock.advance(TimeDelta::seconds(90));

        assert_eq!(moved.to_rfc3339(), "2025-03-01T10:01:30.123456+00:00");
        assert_eq!(clone.now(), moved);
        clone.advance(TimeDelta::seconds(-90));
        assert_eq!(clock.now(), start().trunc_subsecs(6));
    }

    #[test]
    fn now_has_microsecond_precision() {
        for clock in [Clock::system(), Clock::manual(start())] {
            let now = clock.now();
            assert_eq!(now, now.trunc_subsecs(6), "{clock:?}");
        }
    }

    #[test]
    fn manual_clock_stops_at_first_and_last_time() {
        let clock = Clock::manual(start());
        assert_eq!(clock.advance(TimeDelta::MAX), DateTime::<Utc>::MAX_UTC);
        assert!(clock.advance(TimeDelta::MIN) <= start(), "back again");
        assert_eq!(clock.advance(TimeDelta::MIN), DateTime::<Utc>::MIN_UTC);
    }

    #[test]
    fn advance_does_not_change_system_clock() {
        let clock = Clock::system();
        let moved = clock.advance(TimeDelta::days(365));
        assert!(moved < clock.now() + TimeDelta::days(1), "{moved}");
    }
}
