//! `events replay`.

use std::process::ExitCode;

use chrono::{DateTime, TimeDelta, Utc};
use clap::{Args, Subcommand};
use serde_json::json;
use uuid::Uuid;

use super::output::{bad_config, complain, fail};
use crate::clock::Clock;
use crate::config::{self, Database, Section as _};
use crate::domain::event::{EventType, timestamp};
use crate::store::pool::connect;
use crate::usecases::replay::{self, Selection};

/// Wrong usage, as clap itself ends.
const BAD_USAGE: u8 = 2;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Send notifications once more, those that SNS would not take included
    #[command(long_about = "\
Send notifications once more: those that SNS took, and those that it would not take.

They keep their ids, by which subscribers tell them from new ones, and an upload's leave in their \
order. The relays of the running brokers send them; those that wait already are left alone. A FIFO \
topic deduplicates by id: what it took within the last five minutes it takes, and delivers to \
nobody. Stopped halfway, the same command again sends the first ones twice.")]
    Replay(Replay),
}

#[derive(Debug, Args)]
pub(super) struct Replay {
    /// From when on: a time such as 2026-11-21T08:00:00Z, or how long ago: 90s, 30m, 2h, 7d
    #[arg(long, value_name = "TIME", value_parser = when)]
    since: When,
    /// Up to when, in the same forms; now, by default
    #[arg(long, value_name = "TIME", value_parser = when)]
    until: Option<When>,
    /// Only events of this type, such as dataset.uploaded
    #[arg(long = "type", value_name = "TYPE", value_parser = kind)]
    kind: Option<EventType>,
    /// Only events of the upload with this id
    #[arg(long, value_name = "ID")]
    upload: Option<Uuid>,
    /// Count them, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// A point in time, as it is typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum When {
    At(DateTime<Utc>),
    Ago(TimeDelta),
}

impl When {
    fn at(self, now: DateTime<Utc>) -> DateTime<Utc> {
        match self {
            Self::At(at) => at,
            Self::Ago(ago) => now
                .checked_sub_signed(ago)
                .unwrap_or(DateTime::<Utc>::MIN_UTC),
        }
    }
}

fn when(text: &str) -> Result<When, String> {
    if let Ok(at) = DateTime::parse_from_rfc3339(text) {
        return Ok(When::At(at.to_utc()));
    }
    ago(text).map(When::Ago).ok_or_else(|| {
        "expected a time with its zone, such as 2026-11-21T08:00:00Z, or how long ago, such as 2h \
         (s, m, h or d)"
            .to_owned()
    })
}

fn ago(text: &str) -> Option<TimeDelta> {
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

fn kind(text: &str) -> Result<EventType, String> {
    let kind: EventType = serde_json::from_value(json!(text))
        .map_err(|_| "there is no event of that type".to_owned())?;
    if kind.is_notified() {
        Ok(kind)
    } else {
        Err("nobody is notified of events of that type".to_owned())
    }
}

pub(super) async fn run(command: Command) -> ExitCode {
    let Command::Replay(asked) = command;
    let clock = Clock::system();
    let now = clock.now();
    let selection = Selection {
        since: asked.since.at(now),
        until: asked.until.map_or(now, |until| until.at(now)),
        kind: asked.kind,
        upload: asked.upload,
    };
    if selection.since >= selection.until {
        let (since, until) = (timestamp(selection.since), timestamp(selection.until));
        complain(&format!(
            "Nothing lies between --since {since} and --until {until}: the first has to be earlier."
        ));
        return ExitCode::from(BAD_USAGE);
    }
    let database = match Database::load(config::env) {
        Ok(database) => database,
        Err(faults) => return bad_config(&faults),
    };
    let mut connection = match connect(database.url.expose()).await {
        Ok(connection) => connection,
        Err(error) => return fail("Cannot connect to Postgres", &error),
    };
    let events = if asked.dry_run {
        replay::count(&mut connection, &selection).await
    } else {
        replay::replay(&mut connection, &clock, &selection).await
    };
    match events {
        Ok(events) => report(&asked, &selection, events),
        Err(error) => return fail("The replay has not come to its end", &error),
    }
    ExitCode::SUCCESS
}

fn report(asked: &Replay, selection: &Selection, events: u64) {
    if asked.json {
        let line = json!({
            "events": events,
            "dry_run": asked.dry_run,
            "since": timestamp(selection.since),
            "until": timestamp(selection.until),
        });
        println!("{line}");
    } else if asked.dry_run {
        println!("{events} events would be sent again.");
    } else {
        println!("{events} events are sent again.");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_a_moment_or_how_long_ago() {
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
            let read = when(text).expect(text).at(now);
            assert_eq!(read, at(right).expect("a time"), "{text}");
        }
        let longest = when("4294967295d").expect("a long time").at(now);
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
            assert!(when(text).is_err(), "{text:?}");
        }
    }
}
