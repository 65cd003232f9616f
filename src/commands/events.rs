//! `events replay`.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::json;
use uuid::Uuid;

use super::database;
use super::output::{BAD_USAGE, complain, fail};
use super::when::{When, when};
use crate::clock::Clock;
use crate::domain::event::{EventType, timestamp};
use crate::usecases::maintenance::replay::{self, Selection};

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
    let mut connection = match database::connection().await {
        Ok(connection) => connection,
        Err(code) => return code,
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
