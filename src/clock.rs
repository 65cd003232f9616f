//! Time, as the rest of the code sees it.
//!
//! Every time that is stored or compared comes from a [`Clock`], cut to microseconds: Postgres
//! keeps no more, and a finer time would differ from itself after a round trip through a row.
//! Asking the time cannot fail.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, SubsecRound as _, TimeDelta, Utc};

/// Tells the time. Cheap to clone; the clones of a manual clock move together.
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

    /// A clock that stands at `start` and moves only when [`advance`](Self::advance) is called.
    pub fn manual(start: DateTime<Utc>) -> Self {
        Self(Source::Manual(Arc::new(AtomicI64::new(
            start.timestamp_micros(),
        ))))
    }

    /// The present, cut (not rounded) to microseconds.
    pub fn now(&self) -> DateTime<Utc> {
        match &self.0 {
            Source::System => system_now().trunc_subsecs(6),
            Source::Manual(micros) => from_micros(micros.load(Ordering::SeqCst)),
        }
    }

    /// The present of a manual clock; `None` for the clock of the machine. What several machines
    /// must agree about, such as the end of a lease, is measured by Postgres' clock, unless a test
    /// moves the time.
    pub fn manual_now(&self) -> Option<DateTime<Utc>> {
        match &self.0 {
            Source::System => None,
            Source::Manual(_) => Some(self.now()),
        }
    }

    /// Moves a manual clock (and its clones) by `by`, which may be negative, and returns the new
    /// present. A time beyond what chrono can hold stops at the end of time. The clock of the
    /// machine cannot be moved: it returns its present unchanged.
    pub fn advance(&self, by: TimeDelta) -> DateTime<Utc> {
        if let Source::Manual(micros) = &self.0 {
            let limit = if by < TimeDelta::zero() {
                i64::MIN
            } else {
                i64::MAX
            };
            let by = by.num_microseconds().unwrap_or(limit);
            let moved = |present: i64| Some(present.saturating_add(by));
            // The closure never returns None, so that the update cannot fail.
            let _ = micros.fetch_update(Ordering::SeqCst, Ordering::SeqCst, moved);
        }
        self.now()
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one place that asks the machine"
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
    fn a_manual_clock_moves_only_when_told_and_its_clones_move_with_it() {
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
    fn no_clock_shows_more_than_microseconds() {
        for clock in [Clock::system(), Clock::manual(start())] {
            let now = clock.now();
            assert_eq!(now, now.trunc_subsecs(6), "{clock:?}");
        }
    }

    #[test]
    fn a_manual_clock_stops_at_the_ends_of_time() {
        let clock = Clock::manual(start());
        assert_eq!(clock.advance(TimeDelta::MAX), DateTime::<Utc>::MAX_UTC);
        assert!(clock.advance(TimeDelta::MIN) <= start(), "back again");
        assert_eq!(clock.advance(TimeDelta::MIN), DateTime::<Utc>::MIN_UTC);
    }

    #[test]
    fn the_system_clock_does_not_go_with_advance() {
        let clock = Clock::system();
        let moved = clock.advance(TimeDelta::days(365));
        assert!(moved < clock.now() + TimeDelta::days(1), "{moved}");
    }
}
