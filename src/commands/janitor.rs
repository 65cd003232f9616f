//! `janitor`: one whole round, told line by line.
//!
//! Findings are NDJSON on standard output, one line each as it is made; the summary is on standard
//! error. A part or a bucket that fails stops no other: each failure is told at the end. It ends with 0
//! when everything is done, with 1 after a fault, and with 130 where a signal ended it early: rows at
//! hand are finished, and a sweep goes on from there the next time.

mod failures;
mod words;

use std::io::Write as _;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::Args;
use serde_json::json;
use tokio::sync::oneshot;

use super::assemble::{AssembleError, assemble};
use super::output::{bad_config, complain, fail, start_log, warn_of_unknown};
use super::serve::cloud;
use crate::clock::Clock;
use crate::config::{self, Settings};
use crate::domain::finding::Finding;
use crate::janitor::{AbortOutcome, Job, Report, Round, SweepOutcome, Task};
use crate::lifecycle::Shutdown;
use crate::usecases::maintenance::abilities;
use failures::Failures;
use words::{aborted, cleared_json, cleared_line, swept_json, swept_line};

/// As a shell says it of a program that was interrupted.
const INTERRUPTED: u8 = 130;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Change nothing in Postgres or S3, and say what would be done
    #[arg(long)]
    dry_run: bool,
    /// Print the summary as JSON too
    #[arg(long)]
    json: bool,
    /// Only these: overdue, deletes, last-looks, keys, retention, sweep, stale-multipart
    #[arg(long, value_delimiter = ',', value_name = "PART")]
    only: Vec<Task>,
}

/// Why there is no round.
#[derive(Debug, thiserror::Error)]
enum JanitorError {
    #[error(transparent)]
    Assemble(#[from] AssembleError),
    #[error("the findings cannot be written")]
    Output,
    #[error("the round died")]
    Died,
}

/// What was done.
struct Done {
    round: Round,
    /// By bucket, the common one first.
    swept: Vec<(String, SweepOutcome)>,
    cleared: Vec<(String, AbortOutcome)>,
    failures: Failures,
    stopped: bool,
}

pub(super) async fn run(arguments: Arguments) -> ExitCode {
    let settings = match config::from_env() {
        Ok(settings) => settings,
        Err(faults) => return bad_config(&faults),
    };
    start_log(&settings.log);
    warn_of_unknown();
    match once(settings, &arguments).await {
        Ok(done) => done.tell(&arguments),
        Err(error) => fail("The janitor did not come to the end", &error),
    }
}

async fn once(mut settings: Settings, arguments: &Arguments) -> Result<Done, JanitorError> {
    // The schema is `migrate`'s and `serve`'s to change; a dry run changes nothing at all.
    settings.database.migrate = false;
    let shutdown = Shutdown::new();
    shutdown.on_signals().map_err(AssembleError::Signals)?;
    let cloud = cloud(&settings).await?;
    let assembly = assemble(&settings, &cloud, Clock::system()).await?;
    let unwritten = Arc::new(AtomicBool::new(false));
    let job = Job {
        broker: assembly.broker,
        tasks: match arguments.only.as_slice() {
            [] => Task::ALL.to_vec(),
            only => only.to_vec(),
        },
        dry_run: arguments.dry_run,
        report: printing(&shutdown, Arc::clone(&unwritten)),
        stop: shutdown.token(),
    };
    let (tell, told) = oneshot::channel();
    let switch = shutdown.clone();
    shutdown.spawn("janitor", async move {
        let done = work(&job).await;
        switch.stop();
        // Nobody listens after the bound of a stop.
        let _ = tell.send(done);
    });
    let outcome = shutdown.wait(settings.http.shutdown).await;
    if unwritten.load(Ordering::Relaxed) {
        return Err(JanitorError::Output);
    }
    match told.await {
        Ok(done) => Ok(done),
        Err(_) if outcome.failures.is_empty() => Ok(Done {
            round: Round::default(),
            swept: Vec::new(),
            cleared: Vec::new(),
            failures: Failures::default(),
            stopped: true,
        }),
        Err(_) => Err(JanitorError::Died),
    }
}

/// Every part, for every bucket, whatever fails.
async fn work(job: &Job) -> Done {
    let mut failures = Failures::default();
    failures.note(
        "what the stores do",
        abilities::recall_all(&job.broker).await,
    );
    let round = failures
        .note("the round", job.round().await)
        .unwrap_or_default();
    let buckets = failures.note("the list of buckets", job.broker.all_buckets().await);
    let buckets = buckets.unwrap_or_default();
    let (mut swept, mut cleared) = (Vec::new(), Vec::new());
    let wanted = |part| job.tasks.contains(&part) && !job.stop.is_cancelled();
    for bucket in &buckets {
        if wanted(Task::Sweep) {
            let what = format!("the sweep of {bucket}");
            let done = failures.note(&what, job.sweep(bucket).await);
            swept.extend(done.map(|done| (bucket.clone(), done)));
        }
    }
    for bucket in &buckets {
        if wanted(Task::StaleMultipart) {
            let what = format!("stale multipart uploads of {bucket}");
            let done = failures.note(&what, job.abort_stale(bucket).await);
            cleared.extend(done.map(|done| (bucket.clone(), done)));
        }
    }
    Done {
        round,
        swept,
        cleared,
        failures,
        stopped: job.stop.is_cancelled(),
    }
}

/// A line each, at once. When nobody reads them any more, the round stops.
fn printing(shutdown: &Shutdown, unwritten: Arc<AtomicBool>) -> Report {
    let shutdown = shutdown.clone();
    Report::to(move |finding: &Finding| {
        let line = json!(finding).to_string();
        let mut output = std::io::stdout().lock();
        if writeln!(output, "{line}")
            .and_then(|()| output.flush())
            .is_err()
        {
            unwritten.store(true, Ordering::Relaxed);
            shutdown.stop();
        }
    })
}

impl Done {
    fn tell(&self, arguments: &Arguments) -> ExitCode {
        if arguments.json {
            complain(&self.json(arguments.dry_run).to_string());
        } else {
            for line in self.lines(arguments.dry_run) {
                complain(&line);
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
            lines.push("A dry run: nothing is changed, this is what would be.".to_owned());
        }
        lines.push(format!(
            "overdue: {} looked at, {} uploaded, {} expired; deletes ended: {}; \
             last looks: {}, objects removed: {}; rows let go: {} idempotency keys, {} upload tokens, \
             {} events, {} uploads, {} rows of the audit; left for later after a fault: {}",
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
            lines.push("Interrupted: the next run goes on from here.".to_owned());
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
