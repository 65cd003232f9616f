//! `doctor`: is everything that the broker stands on as it should be, and if not, what to do?
//!
//! Checks stand in a file each. Those of one dependency wait for the first of them, all others run
//! side by side; each is bounded in time, and one that fails stops no other. Nothing is changed,
//! but for the probes' own objects, which are removed also after a failure or a signal, and for
//! what `--fix` and `--publish` ask for.
//!
//! It ends with 0 when nothing failed, with 1 when something did, with 78 when the settings are bad,
//! and with 130 when a signal ended it.

mod bucket;
mod certificate;
mod checksums;
mod clock;
mod conditional_writes;
mod cors;
mod credentials;
mod events_queue;
mod examine;
mod issuer;
mod lifecycle;
mod migrations;
mod multipart;
mod patient;
mod policy;
mod postgres;
mod postgres_tls;
mod probing;
mod public_access;
mod rights;
mod signatures;
mod tenant_buckets;
mod tls;
mod topic;
mod verdict;
mod versioning;

use std::process::ExitCode;

use clap::Args;
use serde_json::json;

use self::patient::Patient;
use self::verdict::State;
use super::assemble::AssembleError;
use super::output::{bad_config, complain, fail, start_log, warn_of_unknown};
use crate::config::{self, Settings};
use crate::lifecycle::Shutdown;

/// As a shell says it of a program that was interrupted.
const INTERRUPTED: u8 = 130;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Print one JSON object a check
    #[arg(long)]
    json: bool,
    /// Only print the least IAM policy that the broker's role needs, as JSON
    #[arg(long, conflicts_with_all = ["json", "fix", "publish"])]
    policy: bool,
    /// Add a CORS rule to each bucket that pages of BROKER_CORS_ORIGINS cannot use; every other rule
    /// stays
    #[arg(long)]
    fix: bool,
    /// Publish a notification of the type broker.test: every subscriber gets it
    #[arg(long)]
    publish: bool,
}

pub(super) async fn run(arguments: Arguments) -> ExitCode {
    if arguments.policy {
        return policy::print().await;
    }
    let settings = match config::from_env() {
        Ok(settings) => settings,
        Err(faults) => return bad_config(&faults),
    };
    start_log(&settings.log);
    warn_of_unknown();
    match visit(settings, &arguments).await {
        Ok(code) => code,
        Err(error) => fail("The doctor cannot begin", &error),
    }
}

async fn visit(settings: Settings, arguments: &Arguments) -> Result<ExitCode, AssembleError> {
    let shutdown = Shutdown::new();
    shutdown.on_signals().map_err(AssembleError::Signals)?;
    let patient = Patient::new(settings, shutdown.token()).await?;
    let lines = examine::all(&patient, arguments).await;
    for line in &lines {
        if arguments.json {
            println!("{}", json!(line));
        } else {
            println!("{line}");
        }
    }
    let count = |state| lines.iter().filter(|line| line.state == state).count();
    complain(&summary(&count));
    if shutdown.is_stopping() {
        return Ok(ExitCode::from(INTERRUPTED));
    }
    Ok(match count(State::Failed) {
        0 => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    })
}

fn summary(count: &dyn Fn(State) -> usize) -> String {
    let [ok, warnings, failed, unknown] =
        [State::Ok, State::Warning, State::Failed, State::Unknown].map(count);
    format!("{ok} ok, {warnings} to be warned of, {failed} failed, {unknown} cannot be told")
}
