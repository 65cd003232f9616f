//! `doctor`: checks everything that the broker depends on, and says how to fix what is wrong.
//!
//! Each check is in a file of its own. The checks of a dependency start after the first of them has
//! succeeded; otherwise checks run concurrently. Each check has a time limit, and a failed check
//! does not stop the others. Nothing is changed, except for the test objects of the checks, which
//! are deleted even after a failure or a signal, and for what `--fix` and `--publish` request.
//!
//! The exit code is 0 if nothing failed, 1 if a check failed, 78 if the settings are invalid, and
//! 130 after a signal.

mod bucket;
mod bucket_checks;
mod certificate;
mod checksums;
mod clock;
mod conditional_writes;
mod context;
mod cors;
mod credentials;
mod issuer;
mod jobs;
mod lifecycle;
mod migrations;
mod multipart;
mod policy;
mod postgres;
mod postgres_tls;
mod programs;
mod public_access;
mod public_endpoint;
mod queues;
mod rights;
mod run;
mod signatures;
mod tenant_buckets;
mod textract;
mod time_limit;
mod tls;
mod topic;
mod verdict;
mod versioning;
mod webhooks;
mod with_probe;

use std::process::ExitCode;

use clap::Args;
use serde_json::json;

use self::context::CheckContext;
use self::verdict::State;
use super::assemble::AssembleError;
use super::output::{print_stderr, report_failure, start_log, warn_unknown_variables};
use super::settings;
use crate::config::Settings;
use crate::domain::rules::ProcessingRules;
use crate::lifecycle::Shutdown;

/// The exit code of an interrupted program, as in a shell.
const INTERRUPTED: u8 = 130;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Print one JSON object per check
    #[arg(long)]
    json: bool,
    /// Only print the minimal IAM policy of the broker's role, as JSON
    #[arg(long, conflicts_with_all = ["json", "fix", "publish"])]
    policy: bool,
    /// Add a CORS rule to each bucket that pages of BROKER_CORS_ORIGINS cannot use; all other rules
    /// are kept
    #[arg(long)]
    fix: bool,
    /// Publish a notification of the type broker.test, which every subscriber receives
    #[arg(long)]
    publish: bool,
}

pub(super) async fn run(arguments: Arguments) -> ExitCode {
    if arguments.policy {
        return policy::print().await;
    }
    let (settings, rules) = match settings::from_env() {
        Ok(loaded) => loaded,
        Err(code) => return code,
    };
    start_log(&settings.log);
    warn_unknown_variables();
    match run_checks(settings, &rules, &arguments).await {
        Ok(code) => code,
        Err(error) => report_failure("The doctor cannot start", &error),
    }
}

async fn run_checks(
    settings: Settings,
    rules: &ProcessingRules,
    arguments: &Arguments,
) -> Result<ExitCode, AssembleError> {
    let shutdown = Shutdown::new();
    shutdown.on_signals().map_err(AssembleError::Signals)?;
    let mut context = CheckContext::new(settings, shutdown.token()).await?;
    let results = run::all(&mut context, rules, arguments.publish, arguments.fix).await;
    for result in &results {
        if arguments.json {
            println!("{}", json!(result));
        } else {
            println!("{result}");
        }
    }
    let count = |state| {
        results
            .iter()
            .filter(|result| result.state == state)
            .count()
    };
    print_stderr(&summary(&count));
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
    format!("{ok} ok, {warnings} warnings, {failed} failed, {unknown} unknown")
}
