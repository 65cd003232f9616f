//! Points in time on the command line.

use chrono::{DateTime, TimeDelta, Utc};

/// A point in time as it is entered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TimeArgument {
    /// An absolute time.
    At(DateTime<Utc>),
    /// An age.
    Ago(TimeDelta),
}

impl TimeArgument {
    /// The absolute time, if it is `now`.
    pub(super) fn at(self, now: DateTime<Utc>) -> DateTime<Utc> {
        match self {
            Self::At(at) => at,
            Self::Ago(ago) => now
                .checked_sub_signed(ago)
                .unwrap_or(DateTime::<Utc>::MIN_UTC),
        }
    }
}

/// Parses a point in time.
pub(super) fn parse_time(text: &str) -> Result<TimeArgument, String> {
    if let Ok(at) = DateTime::parse_from_rfc3339(text) {
        return Ok(TimeArgument::At(at.to_utc()));
    }
    parse_age(text).map(TimeArgument::Ago).ok_or_else(|| {
        "expected a time with a time zone, such as 2026-11-21T08:00:00Z, or an age, such as 2h \
         (s, m, h or d)"
            .to_owned()
    })
}

fn parse_age(text: &str) -> Option<TimeDelta> {
    let unit = text.chars().last()?;
    let amount: u32 = text.strip_suffix(unit)?.parse().ok()?;
    let amount = i64::from(amount);
    match unit {
        's' => TimeDelta::try_seconds(amount),
        'm' => TimeDelta::try_minutes(amount),
        'h' => TimeDelta::try_hours(amount),
        'd' => TimeDelta::try_days(amount),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_absolute_or_an_age() {
        let at = |text: &str| DateTime::parse_from_rfc3339(text).map(|at| at.to_utc());
        let now = at("2026-11-21T10:00:00Z").expect("a time");
        for (text, right) in [
            ("2026-11-21T08:00:00Z", "2026-11-21T08:00:00Z"),
            ("2026-11-21T08:00:00.5+01:00", "2026-11-21T07:00:00.5Z"),
            ("90s", "2026-11-21T09:58:30Z"),
            ("30m", "2026-11-21T09:30:00Z"),
            ("2h", "2026-11-21T08:00:00Z"),
            ("7d", "2026-11-14T10:00:00Z"),
        ] {
            let read = parse_time(text).expect(text).at(now);
            assert_eq!(read, at(right).expect("a time"), "{text}");
        }
        let longest = parse_time("4294967295d").expect("a long time").at(now);
        assert!(longest < now, "{longest}");
        for text in [
            "",
            "h",
            "2",
            "-2h",
            "2w",
            "1.5h",
            "2ü",
            "yesterday",
            "2026-11-21T08:00:00",
        ] {
            assert!(parse_time(text).is_err(), "{text:?}");
        }
    }
}
