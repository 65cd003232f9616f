//! `janitor`: one whole round, told line by line.
//!
//! Findings are NDJSON on standard output, one line each as it is made; the summary is on standard
//! error. It ends with 0 when everything is done, with 1 after a fault, and with 130 where a signal
//! ended it early: rows at hand are finished, and a sweep goes on from there the next time.

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
use crate::janitor::{Aborted, Cleared, Job, Part, Report, Round, Swept};
use crate::lifecycle::Shutdown;
use crate::usecases;

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
    only: Vec<Part>,
}

/// Why there is no round.
#[derive(Debug, thiserror::Error)]
enum JanitorError {
    #[error(transparent)]
    Assemble(#[from] AssembleError),
    #[error(transparent)]
    Work(#[from] usecases::Error),
    #[error("the findings cannot be written")]
    Output,
    #[error("the round died")]
    Died,
}

/// What was done.
struct Done {
    round: Round,
    swept: Option<Swept>,
    cleared: Option<Cleared>,
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
    let cloud = cloud(&settings).await;
    let assembly = assemble(&settings, &cloud, Clock::system()).await?;
    let unwritten = Arc::new(AtomicBool::new(false));
    let job = Job {
        broker: assembly.broker,
        parts: match arguments.only.as_slice() {
            [] => Part::ALL.to_vec(),
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
        Ok(done) => done.map_err(JanitorError::Work),
        Err(_) if outcome.failures.is_empty() => Ok(Done {
            round: Round::default(),
            swept: None,
            cleared: None,
            stopped: true,
        }),
        Err(_) => Err(JanitorError::Died),
    }
}

async fn work(job: &Job) -> usecases::Result<Done> {
    let round = job.round().await?;
    let wanted = job.parts.contains(&Part::Sweep) && !job.stop.is_cancelled();
    let swept = if wanted {
        Some(job.sweep().await?)
    } else {
        None
    };
    let wanted = job.parts.contains(&Part::StaleMultipart) && !job.stop.is_cancelled();
    let cleared = if wanted {
        Some(job.abort_stale().await?)
    } else {
        None
    };
    Ok(Done {
        round,
        swept,
        cleared,
        stopped: job.stop.is_cancelled(),
    })
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
        let gave_up = matches!(self.cleared, Some(Cleared::Stopped(_)));
        match self.round.failed + self.aborted().failed {
            0 if !gave_up => ExitCode::SUCCESS,
            _ => ExitCode::FAILURE,
        }
    }

    fn aborted(&self) -> Aborted {
        match self.cleared {
            Some(Cleared::Through(all) | Cleared::Stopped(all)) => all,
            _ => Aborted::default(),
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
            round.settled,
            round.removed,
            round.forgotten,
            round.ended_tokens,
            round.old_events,
            round.old_uploads,
            round.old_audit_rows,
            round.failed
        ));
        lines.extend(self.swept.as_ref().map(|swept| match swept {
            Swept::Through {
                compared,
                resumed_after,
            } => {
                let from = match resumed_after {
                    Some(key) => format!(", from behind {key:?}, where the last one had stopped"),
                    None => String::new(),
                };
                format!(
                    "sweep: {} objects and {} rows compared{from}; {} rows of other buckets left out",
                    compared.objects, compared.rows, compared.other_buckets
                )
            }
            Swept::Stopped(compared) => format!(
                "sweep: stopped after {} objects and {} rows",
                compared.objects, compared.rows
            ),
            Swept::Elsewhere | Swept::NotDue => {
                "sweep: left to another process that is at it".to_owned()
            }
        }));
        let all = self.aborted();
        lines.extend(self.cleared.as_ref().map(|cleared| match cleared {
            Cleared::Through(_) | Cleared::Stopped(_) => format!(
                "stale multipart uploads: {} aborted, {} perhaps another program's, {} left for later after a fault",
                all.aborted, all.reported, all.failed
            ),
            Cleared::Refused => "stale multipart uploads: S3 does not list them".to_owned(),
            Cleared::Elsewhere => {
                "stale multipart uploads: left to another process that is at them".to_owned()
            }
        }));
        if self.stopped {
            lines.push("Interrupted: the next run goes on from here.".to_owned());
        }
        lines
    }

    fn json(&self, dry_run: bool) -> serde_json::Value {
        let round = &self.round;
        let sweep = self.swept.as_ref().map(|swept| match swept {
            Swept::Through {
                compared,
                resumed_after,
            } => json!({
                "ended": "through",
                "objects": compared.objects,
                "rows": compared.rows,
                "rows_of_other_buckets": compared.other_buckets,
                "resumed_after": resumed_after,
            }),
            Swept::Stopped(compared) => json!({
                "ended": "stopped", "objects": compared.objects, "rows": compared.rows,
            }),
            Swept::Elsewhere | Swept::NotDue => json!({"ended": "elsewhere"}),
        });
        let all = self.aborted();
        let multipart = self.cleared.as_ref().map(|cleared| {
            json!({
                "ended": match cleared {
                    Cleared::Through(_) => "through",
                    Cleared::Stopped(_) => "stopped",
                    Cleared::Refused => "refused",
                    Cleared::Elsewhere => "elsewhere",
                },
                "aborted": all.aborted,
                "reported": all.reported,
                "failed": all.failed,
            })
        });
        json!({
            "dry_run": dry_run,
            "interrupted": self.stopped,
            "checked": round.checked,
            "uploaded": round.uploaded,
            "expired": round.expired,
            "deleted": round.deleted,
            "last_looks": round.settled,
            "removed": round.removed,
            "old_idempotency_keys": round.forgotten,
            "ended_tokens": round.ended_tokens,
            "old_events": round.old_events,
            "old_uploads": round.old_uploads,
            "old_audit_rows": round.old_audit_rows,
            "failed": round.failed,
            "sweep": sweep,
            "stale_multipart_uploads": multipart,
        })
    }
}
