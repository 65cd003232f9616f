//! `events replay`: publishes events again.

use std::process::ExitCode;
use std::str::FromStr as _;

use clap::{Args, Subcommand};
use serde_json::json;
use uuid::Uuid;

use super::database;
use super::output::{BAD_USAGE, print_stderr, report_failure};
use super::when::{TimeArgument, parse_time};
use crate::clock::Clock;
use crate::domain::event::{EventType, timestamp};
use crate::usecases::maintenance::replay::{self, Selection};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Publish events again, including those that SNS rejected
    #[command(long_about = "\
Publish events again: those that were published, and those that SNS rejected. Events of a type \
that BROKER_NOTIFY did not name when they happened are not among them.

They keep their ids, by which subscribers recognize them, and the events of one upload keep their \
order. The running brokers publish them; events that are still waiting are not changed. A FIFO \
topic deduplicates by id: it accepts an event that it accepted within the last five minutes, but \
does not deliver it. If the command is interrupted, running it again sends the first events twice.")]
    Replay(Replay),
}

#[derive(Debug, Args)]
pub(super) struct Replay {
    /// Start time, such as 2026-11-21T08:00:00Z, or an age: 90s, 30m, 2h, 7d
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    since: TimeArgument,
    /// End time, in the same forms; default: now
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    until: Option<TimeArgument>,
    /// Only events of this type, such as dataset.uploaded
    #[arg(long = "type", value_name = "TYPE", value_parser = EventType::from_str)]
    kind: Option<EventType>,
    /// Only events of the upload with this id
    #[arg(long, value_name = "ID")]
    upload: Option<Uuid>,
    /// Only count the events
    #[arg(long)]
    dry_run: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(command: Command) -> ExitCode {
    let Command::Replay(arguments) = command;
    let clock = Clock::system();
    let now = clock.now();
    let selection = Selection {
        since: arguments.since.at(now),
        until: arguments.until.map_or(now, |until| until.at(now)),
        kind: arguments.kind,
        upload: arguments.upload,
    };
    if selection.since >= selection.until {
        let (since, until) = (timestamp(selection.since), timestamp(selection.until));
        print_stderr(&format!(
            "--since {since} must be earlier than --until {until}."
        ));
        return ExitCode::from(BAD_USAGE);
    }
    let mut connection = match database::connect().await {
        Ok(connection) => connection,
        Err(code) => return code,
    };
    let events = if arguments.dry_run {
        replay::count(&mut connection, &selection).await
    } else {
        replay::replay(&mut connection, &clock, &selection).await
    };
    match events {
        Ok(events) => report(&arguments, &selection, events),
        Err(error) => return report_failure("The replay was not completed", &error),
    }
    ExitCode::SUCCESS
}

fn report(arguments: &Replay, selection: &Selection, events: u64) {
    if arguments.json {
        let line = json!({
            "events": events,
            "dry_run": arguments.dry_run,
            "since": timestamp(selection.since),
            "until": timestamp(selection.until),
        });
        println!("{line}");
    } else if arguments.dry_run {
        println!("{events} events would be published again.");
    } else {
        println!("{events} events are published again.");
    }
}
