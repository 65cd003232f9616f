//! `webhooks replay`: sends events of the past to a webhook.

use std::process::ExitCode;

use clap::Args;
use serde_json::json;
use uuid::Uuid;

use super::text::report;
use crate::clock::Clock;
use crate::commands::output::{BAD_USAGE, print_stderr};
use crate::commands::when::{TimeArgument, parse_time};
use crate::domain::event::timestamp;
use crate::store::Connection;
use crate::usecases;
use crate::usecases::webhooks::{Selection, replay};

#[derive(Debug, Args)]
pub(in crate::commands) struct Replay {
    /// Id of the webhook
    id: Uuid,
    /// Start time, such as 2026-11-21T08:00:00Z, or an age: 90s, 30m, 2h, 7d
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    since: TimeArgument,
    /// End time, in the same forms; default: now
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    until: Option<TimeArgument>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(
    connection: &mut Connection,
    clock: &Clock,
    arguments: &Replay,
) -> usecases::Result<ExitCode> {
    let now = clock.now();
    let selection = Selection {
        webhook: arguments.id,
        since: arguments.since.at(now),
        until: arguments.until.map_or(now, |until| until.at(now)),
    };
    let (since, until) = (timestamp(selection.since), timestamp(selection.until));
    if selection.since >= selection.until {
        print_stderr(&format!(
            "--since {since} must be earlier than --until {until}."
        ));
        return Ok(ExitCode::from(BAD_USAGE));
    }
    let Some(events) = replay(connection, clock, &selection).await? else {
        return Ok(report(false, arguments.id, ""));
    };
    if arguments.json {
        println!(
            "{}",
            json!({"events": events, "since": since, "until": until})
        );
    } else {
        println!("{events} events are sent again.");
    }
    Ok(ExitCode::SUCCESS)
}
