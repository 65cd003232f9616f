//! `janitor`: runs one complete round, and reports each finding.
//!
//! Findings are printed as NDJSON on standard output, one line each as they are made; the summary
//! goes to standard error. A part or bucket that fails does not stop the others, and all failures
//! are reported at the end. The exit code is 0 if everything was done, 1 after a failure, and 130
//! if a signal interrupted the round: the rows in progress are finished, and the next run continues
//! the sweep.

mod failures;
mod text;

use std::io::Write as _;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::Args;
use serde_json::json;
use tokio::sync::oneshot;

use super::assemble::{AssembleError, assemble};
use super::aws::load_cloud;
use super::output::{print_stderr, report_failure, start_log, warn_unknown_variables};
use super::settings;
use crate::clock::Clock;
use crate::config::Settings;
use crate::domain::finding::Finding;
use crate::domain::rules::ProcessingRules;
use crate::janitor::{AbortOutcome, Job, Report, Round, SweepOutcome, Task};
use crate::lifecycle::Shutdown;
use crate::usecases::maintenance::abilities;
use failures::Failures;
use text::{aborted, cleared_json, cleared_line, swept_json, swept_line};

/// The exit code of an interrupted program, as in a shell.
const INTERRUPTED: u8 = 130;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Change nothing in Postgres or S3, and report what would be done
    #[arg(long)]
    dry_run: bool,
    /// Print the summary as JSON, too
    #[arg(long)]
    json: bool,
    /// Only these parts, comma-separated: arrivals, overdue, deletes, last-looks, keys, retention,
    /// sweep, stale-multipart
    #[arg(long, value_delimiter = ',', value_name = "PART")]
    only: Vec<Task>,
}

/// Why the round failed.
#[derive(Debug, thiserror::Error)]
enum JanitorError {
    #[error(transparent)]
    Assemble(#[from] AssembleError),
    #[error("the findings cannot be written")]
    Output,
    #[error("the round panicked")]
    Panicked,
}

/// The results of the round.
struct RoundResult {
    round: Round,
    /// By bucket, the common one first.
    swept: Vec<(String, SweepOutcome)>,
    cleared: Vec<(String, AbortOutcome)>,
    failures: Failures,
    stopped: bool,
}

pub(super) async fn run(arguments: Arguments) -> ExitCode {
    let (settings, rules) = match settings::from_env() {
        Ok(loaded) => loaded,
        Err(code) => return code,
    };
    start_log(&settings.log);
    warn_unknown_variables();
    match run_janitor(settings, rules, &arguments).await {
        Ok(done) => done.report(&arguments),
        Err(error) => report_failure("The janitor round was not completed", &error),
    }
}

async fn run_janitor(
    mut settings: Settings,
    rules: ProcessingRules,
    arguments: &Arguments,
) -> Result<RoundResult, JanitorError> {
    // Only `migrate` and `serve` change the schema, and a dry run changes nothing at all.
    settings.database.migrate = false;
    let shutdown = Shutdown::new();
    shutdown.on_signals().map_err(AssembleError::Signals)?;
    let cloud = load_cloud(&settings).await?;
    let assembly = assemble(&settings, rules, &cloud, Clock::system()).await?;
    let output_failed = Arc::new(AtomicBool::new(false));
    let job = Job {
        broker: assembly.broker,
        tasks: match arguments.only.as_slice() {
            [] => Task::ALL.to_vec(),
            only => only.to_vec(),
        },
        dry_run: arguments.dry_run,
        report: print_findings(&shutdown, Arc::clone(&output_failed)),
        stop: shutdown.token(),
    };
    let (sender, receiver) = oneshot::channel();
    let switch = shutdown.clone();
    shutdown.spawn("janitor", async move {
        let done = run_round(&job).await;
        switch.stop();
        // After the shutdown timeout, nothing receives the result.
        let _ = sender.send(done);
    });
    let outcome = shutdown.wait(settings.http.shutdown).await;
    if output_failed.load(Ordering::Relaxed) {
        return Err(JanitorError::Output);
    }
    match receiver.await {
        Ok(done) => Ok(done),
        Err(_) if outcome.failures.is_empty() => Ok(RoundResult {
            round: Round::default(),
            swept: Vec::new(),
            cleared: Vec::new(),
            failures: Failures::default(),
            stopped: true,
        }),
        Err(_) => Err(JanitorError::Panicked),
    }
}

/// Runs every part for every bucket, whatever fails.
async fn run_round(job: &Job) -> RoundResult {
    let mut failures = Failures::default();
    failures.record(
        "the abilities of the stores",
        abilities::load_all(&job.broker).await,
    );
    let round = failures
        .record("the round", job.round().await)
        .unwrap_or_default();
    let buckets = failures.record("the list of buckets", job.broker.all_buckets().await);
    let buckets = buckets.unwrap_or_default();
    let (mut swept, mut cleared) = (Vec::new(), Vec::new());
    let wanted = |part| job.tasks.contains(&part) && !job.stop.is_cancelled();
    for bucket in &buckets {
        if wanted(Task::Sweep) {
            let what = format!("the sweep of {bucket}");
            let done = failures.record(&what, job.sweep(bucket).await);
            swept.extend(done.map(|done| (bucket.clone(), done)));
        }
    }
    for bucket in &buckets {
        if wanted(Task::StaleMultipart) {
            let what = format!("stale multipart uploads of {bucket}");
            let done = failures.record(&what, job.abort_stale(bucket).await);
            cleared.extend(done.map(|done| (bucket.clone(), done)));
        }
    }
    RoundResult {
        round,
        swept,
        cleared,
        failures,
        stopped: job.stop.is_cancelled(),
    }
}

/// Prints each finding as one line, immediately. If standard output is closed, the round stops.
fn print_findings(shutdown: &Shutdown, output_failed: Arc<AtomicBool>) -> Report {
    let shutdown = shutdown.clone();
    Report::to(move |finding: &Finding| {
        let line = json!(finding).to_string();
        let mut output = std::io::stdout().lock();
        if writeln!(output, "{line}")
            .and_then(|()| output.flush())
            .is_err()
        {
            output_failed.store(true, Ordering::Relaxed);
            shutdown.stop();
        }
    })
}

impl RoundResult {
    fn report(&self, arguments: &Arguments) -> ExitCode {
        if arguments.json {
            print_stderr(&self.json(arguments.dry_run).to_string());
        } else {
            for line in self.lines(arguments.dry_run) {
                print_stderr(&line);
            }
        }
        if self.stopped {
            return ExitCode::from(INTERRUPTED);
        }
        let mut walks = self.cleared.iter().map(|(_, cleared)| cleared);
        let gave_up = walks.any(|cleared| matches!(cleared, AbortOutcome::Stopped(_)));
        let failed = (self.cleared.iter()).map(|(_, cleared)| aborted(cleared).failed);
        match self.round.failed + failed.sum::<u64>() {
            0 if !gave_up && self.failures.is_empty() => ExitCode::SUCCESS,
            _ => ExitCode::FAILURE,
        }
    }

    fn lines(&self, dry_run: bool) -> Vec<String> {
        let round = &self.round;
        let mut lines = Vec::new();
        if dry_run {
            lines.push("Dry run: nothing is changed; this is what would be done.".to_owned());
        }
        lines.push(format!(
            "overdue: {} checked, {} uploaded, {} expired; finished deletes: {}; \
             final checks: {}, removed objects: {}; deleted rows: {} idempotency keys, {} upload tokens, \
             {} events, {} uploads, {} audit records; deferred after a failure: {}",
            round.checked,
            round.uploaded,
            round.expired,
            round.deleted,
            round.finally_checked,
            round.removed,
            round.old_idempotency_keys,
            round.ended_tokens,
            round.old_events,
            round.old_uploads,
            round.old_audit_rows,
            round.failed
        ));
        lines.extend((self.swept.iter()).map(|(bucket, swept)| swept_line(bucket, swept)));
        lines.extend((self.cleared.iter()).map(|(bucket, cleared)| cleared_line(bucket, cleared)));
        lines.extend(self.failures.lines());
        if self.stopped {
            lines.push("Interrupted: the next run continues from here.".to_owned());
        }
        lines
    }

    fn json(&self, dry_run: bool) -> serde_json::Value {
        let round = &self.round;
        json!({
            "dry_run": dry_run,
            "interrupted": self.stopped,
            "checked": round.checked,
            "uploaded": round.uploaded,
            "expired": round.expired,
            "deleted": round.deleted,
            "last_looks": round.finally_checked,
            "removed": round.removed,
            "old_idempotency_keys": round.old_idempotency_keys,
            "ended_tokens": round.ended_tokens,
            "old_events": round.old_events,
            "old_uploads": round.old_uploads,
            "old_audit_rows": round.old_audit_rows,
            "failed": round.failed,
            "failures": self.failures.json(),
            "sweep": self.swept.first().map(swept_json),
            "stale_multipart_uploads": self.cleared.first().map(cleared_json),
            "tenants_buckets": {
                "sweep": self.swept.iter().skip(1).map(swept_json).collect::<Vec<_>>(),
                "stale_multipart_uploads":
                    self.cleared.iter().skip(1).map(cleared_json).collect::<Vec<_>>(),
            },
        })
    }
}
