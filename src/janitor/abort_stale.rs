//! Aborts multipart uploads at S3 that no upload needs any more.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use futures::stream::{self, StreamExt as _};
use tokio_util::sync::CancellationToken;

use super::job::Job;
use super::loops::cause;
use super::report::Report;
use crate::domain::finding::Outcome;
use crate::usecases::maintenance::abort_stale::{self as usecase, Pass, Stale, StepOutcome};
use crate::usecases::{Broker, Result};

/// The number of multipart uploads that are aborted at the same time.
const CONCURRENT_ABORTS: usize = 4;
/// After this number of consecutive failures the pass stops, and the next pass starts over.
const MAX_CONSECUTIVE_FAILURES: u32 = 8;

/// The number of multipart uploads by outcome; in a dry run, by the outcome that they would have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AbortCounts {
    /// Multipart uploads that were aborted; their parts are freed.
    pub aborted: u64,
    /// Multipart uploads that may belong to another program; they are only reported.
    pub reported: u64,
    /// Multipart uploads that S3 failed to abort.
    pub failed: u64,
}

/// How a pass over the open multipart uploads of a bucket ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AbortOutcome {
    /// All open multipart uploads were checked.
    Completed(AbortCounts),
    /// The pass was stopped, or S3 failed repeatedly. The next pass starts over.
    Stopped(AbortCounts),
    /// The store cannot list multipart uploads, or denies it.
    Refused,
    /// Nothing was done: another process holds the lease, or the last pass ended recently.
    Skipped,
}

/// Aborts the multipart uploads of a bucket that no upload needs any more, provided that the last
/// pass ended before `ended_before`.
///
/// # Errors
/// Postgres or S3 is unavailable.
pub async fn abort_stale(
    broker: &Arc<Broker>,
    bucket: &str,
    ended_before: DateTime<Utc>,
    report: &Report,
    stop: &CancellationToken,
) -> Result<AbortOutcome> {
    let Some(mut pass) = usecase::begin(broker, bucket, ended_before).await? else {
        return Ok(AbortOutcome::Skipped);
    };
    match pass.lease_renewal() {
        Some(renewal) => {
            let work = run_pass(&mut pass, broker, report, stop, false);
            renewal
                .during(work)
                .await
                .unwrap_or(Ok(AbortOutcome::Skipped))
        }
        None => run_pass(&mut pass, broker, report, stop, false).await,
    }
}

impl Job {
    /// Aborts the multipart uploads of a bucket that no upload needs any more, however recent the last
    /// pass is.
    ///
    /// # Errors
    /// Postgres or S3 is unavailable.
    pub async fn abort_stale(&self, bucket: &str) -> Result<AbortOutcome> {
        let (broker, report, stop) = (&self.broker, &self.report, &self.stop);
        if self.dry_run {
            let mut pass = usecase::dry_run(broker, bucket).await?;
            return run_pass(&mut pass, broker, report, stop, true).await;
        }
        abort_stale(broker, bucket, broker.clock.now(), report, stop).await
    }
}

async fn run_pass(
    pass: &mut Pass,
    broker: &Broker,
    report: &Report,
    stop: &CancellationToken,
    dry_run: bool,
) -> Result<AbortOutcome> {
    let mut progress = Progress {
        broker,
        report,
        stop,
        dry_run,
        counts: AbortCounts::default(),
        consecutive_failures: 0,
    };
    while !progress.must_end() {
        match pass.step().await {
            Ok(StepOutcome::More(stale)) => progress.abort_page(stale).await,
            Ok(StepOutcome::Completed) => return Ok(AbortOutcome::Completed(progress.counts)),
            Ok(StepOutcome::LeaseLost) => return Ok(AbortOutcome::Skipped),
            Ok(StepOutcome::Refused(reason)) => {
                log::warn!("janitor: cannot list stale multipart uploads: {reason}");
                return Ok(AbortOutcome::Refused);
            }
            Err(error) => {
                if let Err(release) = pass.release().await {
                    log::warn!("janitor: open multipart uploads stay leased: {release}");
                }
                return Err(error);
            }
        }
    }
    pass.release().await?;
    Ok(AbortOutcome::Stopped(progress.counts))
}

struct Progress<'a> {
    broker: &'a Broker,
    report: &'a Report,
    stop: &'a CancellationToken,
    dry_run: bool,
    counts: AbortCounts,
    consecutive_failures: u32,
}

impl Progress<'_> {
    fn must_end(&self) -> bool {
        self.stop.is_cancelled() || self.consecutive_failures >= MAX_CONSECUTIVE_FAILURES
    }

    async fn abort_page(&mut self, page: Vec<Stale>) {
        let (broker, stop, dry_run) = (self.broker, self.stop, self.dry_run);
        let mut aborts = stream::iter(page)
            // Aborts that have started are finished.
            .take_while(|_| std::future::ready(!stop.is_cancelled()))
            .map(|stale| async move {
                let outcome = usecase::abort(broker, &stale, dry_run).await;
                (stale, outcome)
            })
            .buffer_unordered(CONCURRENT_ABORTS);
        while let Some((stale, outcome)) = aborts.next().await {
            self.record(&stale, outcome);
            if self.consecutive_failures >= MAX_CONSECUTIVE_FAILURES {
                break;
            }
        }
    }

    fn record(&mut self, stale: &Stale, outcome: Result<Option<Outcome>>) {
        let outcome = match outcome {
            Ok(outcome) => {
                self.consecutive_failures = 0;
                outcome
            }
            Err(error) => {
                self.consecutive_failures += 1;
                log::warn!(
                    "janitor: cannot abort a multipart upload: {error}: {}",
                    cause(&error)
                );
                Some(Outcome::Failed)
            }
        };
        let Some(outcome) = outcome else { return };
        *match outcome {
            Outcome::Aborted => &mut self.counts.aborted,
            Outcome::Reported => &mut self.counts.reported,
            _ => &mut self.counts.failed,
        } += 1;
        if !self.dry_run {
            self.broker
                .metrics
                .janitor
                .stale_multipart(outcome.as_str());
        }
        let now = self.broker.clock.now();
        self.report.send(&stale.finding(outcome, self.dry_run, now));
    }
}
