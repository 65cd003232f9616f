//! `webhooks add|list|remove|enable|replay|rotate-secret`: manages the endpoints that get events over
//! HTTP.

mod replay;
mod text;

use std::process::ExitCode;
use std::str::FromStr as _;

use clap::Subcommand;
use serde_json::json;
use uuid::Uuid;

use super::database;
use super::output::{
    print_secret, print_stderr, print_with_secret, report_failure, report_invalid_settings,
};
use crate::clock::Clock;
use crate::config::{self, Section as _};
use crate::domain::event::EventType;
use crate::store::Connection;
use crate::usecases;
use crate::usecases::webhooks;
use replay::Replay;
use text::report;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Send the events of a tenant to a URL. The secret of the signatures is printed once
    ///
    /// Events that are written from now on are sent; `replay` adds earlier ones.
    Add {
        /// Tenant whose events are sent
        #[arg(long, default_value = "default")]
        tenant: String,
        /// URL that gets a POST request for each event: https, with a public address, unless
        /// BROKER_WEBHOOKS_ALLOW_PRIVATE is set
        #[arg(long)]
        url: String,
        /// Event types, comma-separated, such as dataset.uploaded,dataset.processed; default: all
        #[arg(long, value_name = "LIST", value_delimiter = ',', value_parser = EventType::from_str)]
        types: Option<Vec<EventType>>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// List the webhooks, without their secrets
    List {
        /// Only webhooks of this tenant
        #[arg(long)]
        tenant: Option<String>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Remove a webhook, and what waits for it
    Remove {
        /// Id of the webhook, as `webhooks list` prints it
        id: Uuid,
    },
    /// Send to a webhook again that was disabled after failures; what waits for it is sent at once
    ///
    /// Events that were written while it was disabled are not among that; `replay` adds them.
    Enable {
        /// Id of the webhook
        id: Uuid,
    },
    /// Send events of the past to a webhook
    ///
    /// They have the same ids as before, and the events of one upload keep their order. Events that
    /// still wait are not changed. The running brokers send them.
    Replay(Replay),
    /// Replace the secret of a webhook. The new secret is printed once
    ///
    /// For 24 hours, events are signed with both secrets.
    RotateSecret {
        /// Id of the webhook
        id: Uuid,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

pub(super) async fn run(command: Command) -> ExitCode {
    let mut connection = match database::connect().await {
        Ok(connection) => connection,
        Err(code) => return code,
    };
    let clock = Clock::system();
    let done = match command {
        Command::Add {
            tenant,
            url,
            types,
            json,
        } => add(&mut connection, &clock, &tenant, &url, types, json).await,
        Command::List { tenant, json } => list(&mut connection, tenant.as_deref(), json).await,
        Command::Remove { id } => {
            let removed = webhooks::remove(&mut connection, &clock, id).await;
            removed.map(|found| report(found, id, "is removed"))
        }
        Command::Enable { id } => {
            let enabled = webhooks::enable(&mut connection, &clock, id).await;
            enabled.map(|found| report(found, id, "is enabled"))
        }
        Command::Replay(arguments) => replay::run(&mut connection, &clock, &arguments).await,
        Command::RotateSecret { id, json } => rotate(&mut connection, &clock, id, json).await,
    };
    done.unwrap_or_else(|error| report_failure("The webhooks were not changed", &error))
}

async fn add(
    connection: &mut Connection,
    clock: &Clock,
    tenant: &str,
    url: &str,
    types: Option<Vec<EventType>>,
    json: bool,
) -> usecases::Result<ExitCode> {
    let settings = match config::Webhooks::load(config::env) {
        Ok(settings) => settings,
        Err(faults) => return Ok(report_invalid_settings(&faults)),
    };
    let allow_private = settings.allow_private;
    let types = types.as_deref();
    let added = webhooks::add(connection, clock, tenant, url, types, allow_private).await?;
    let (id, tenant) = (added.id, &added.tenant);
    let printed = match json {
        true => print_with_secret(&text::PrintedSecret::of_added(&added)),
        false => print_secret(&added.secret),
    };
    if let Err(error) = printed {
        let what = format!(
            "Webhook {id} was added but its secret was not printed; replace it with `webhooks rotate-secret {id}`"
        );
        return Ok(report_failure(&what, &error));
    }
    if !json {
        print_stderr(&format!(
            "Webhook {id} of tenant {tenant}. The secret is not shown again; `webhooks rotate-secret {id}` replaces it."
        ));
    }
    Ok(ExitCode::SUCCESS)
}

async fn list(
    connection: &mut Connection,
    tenant: Option<&str>,
    json: bool,
) -> usecases::Result<ExitCode> {
    let all = webhooks::list(connection, tenant).await?;
    if json {
        let lines: Vec<_> = all.iter().map(text::as_json).collect();
        println!("{}", json!(lines));
        return Ok(ExitCode::SUCCESS);
    }
    for webhook in &all {
        println!("{}", text::line(webhook));
    }
    Ok(ExitCode::SUCCESS)
}

async fn rotate(
    connection: &mut Connection,
    clock: &Clock,
    id: Uuid,
    json: bool,
) -> usecases::Result<ExitCode> {
    let Some(secret) = webhooks::rotate_secret(connection, clock, id).await? else {
        return Ok(report(false, id, ""));
    };
    let printed = match json {
        true => print_with_secret(&text::PrintedSecret::new(id, &secret)),
        false => print_secret(&secret),
    };
    if let Err(error) = printed {
        let what = format!("The new secret of webhook {id} was not printed; replace it again");
        return Ok(report_failure(&what, &error));
    }
    if !json {
        let hours = webhooks::PREVIOUS_SECRET_HOURS;
        print_stderr(&format!(
            "Webhook {id} has a new secret, which is not shown again. Events are signed with the old one, too, for {hours} hours."
        ));
    }
    Ok(ExitCode::SUCCESS)
}
