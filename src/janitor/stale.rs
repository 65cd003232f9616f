//! Multipart uploads at S3 that nothing needs any more.

use std::error::Error as _;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use futures::stream::{self, StreamExt as _};
use tokio_util::sync::CancellationToken;

use super::{Job, Report};
use crate::domain::finding::Outcome;
use crate::usecases::maintenance::abort_stale::{self as usecase, Pass, Stale, Stepped};
use crate::usecases::{Broker, Error, Result};

/// Aborts at once.
const AT_ONCE: usize = 4;
/// After so many faults in a row S3 is left alone until the next time.
const FAULTS: u32 = 8;

/// How many, by what became of them; in a dry run, what would.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Aborted {
    /// Ended, and their parts freed.
    pub aborted: u64,
    /// Perhaps another program's: told, and left alone.
    pub reported: u64,
    /// S3 failed at that.
    pub failed: u64,
}

/// How a walk over them ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cleared {
    /// Everything is looked at.
    Through(Aborted),
    /// It was stopped, or S3 failed again and again; the next one begins anew.
    Stopped(Aborted),
    /// The store does not list them, or not to us.
    Refused,
    /// Another process is at it, or the last walk is not long ago.
    Elsewhere,
}

/// Aborts what nothing needs any more in a bucket, unless the last walk did not end before
/// `ended_before`.
pub async fn abort_stale(
    broker: &Arc<Broker>,
    bucket: &str,
    ended_before: DateTime<Utc>,
    report: &Report,
    stop: &CancellationToken,
) -> Result<Cleared> {
    let Some(mut pass) = usecase::begin(broker, bucket, ended_before).await? else {
        return Ok(Cleared::Elsewhere);
    };
    match pass.keeper() {
        Some(keeper) => {
            let walk = walk(&mut pass, broker, report, stop, false);
            keeper.during(walk).await.unwrap_or(Ok(Cleared::Elsewhere))
        }
        None => walk(&mut pass, broker, report, stop, false).await,
    }
}

impl Job {
    /// Aborts what nothing needs any more, also where that was done a moment ago.
    pub async fn abort_stale(&self, bucket: &str) -> Result<Cleared> {
        let (broker, report, stop) = (&self.broker, &self.report, &self.stop);
        if self.dry_run {
            let mut pass = usecase::dry_run(broker, bucket).await?;
            return walk(&mut pass, broker, report, stop, true).await;
        }
        abort_stale(broker, bucket, broker.clock.now(), report, stop).await
    }
}

async fn walk(
    pass: &mut Pass,
    broker: &Broker,
    report: &Report,
    stop: &CancellationToken,
    dry_run: bool,
) -> Result<Cleared> {
    let mut work = Work {
        broker,
        report,
        stop,
        dry_run,
        done: Aborted::default(),
        faults: 0,
    };
    while !work.is_over() {
        match pass.step().await {
            Ok(Stepped::On(stale)) => work.page(stale).await,
            Ok(Stepped::Through) => return Ok(Cleared::Through(work.done)),
            Ok(Stepped::Lost) => return Ok(Cleared::Elsewhere),
            Ok(Stepped::Refused(why)) => {
                log::warn!("janitor: multipart uploads that nothing needs stay: {why}");
                return Ok(Cleared::Refused);
            }
            Err(error) => {
                if let Err(fault) = pass.leave().await {
                    log::warn!("janitor: open multipart uploads stay claimed: {fault}");
                }
                return Err(error);
            }
        }
    }
    pass.leave().await?;
    Ok(Cleared::Stopped(work.done))
}

struct Work<'a> {
    broker: &'a Broker,
    report: &'a Report,
    stop: &'a CancellationToken,
    dry_run: bool,
    done: Aborted,
    /// In a row.
    faults: u32,
}

impl Work<'_> {
    fn is_over(&self) -> bool {
        self.stop.is_cancelled() || self.faults >= FAULTS
    }

    async fn page(&mut self, page: Vec<Stale>) {
        let (broker, stop, dry_run) = (self.broker, self.stop, self.dry_run);
        let mut worked = stream::iter(page)
            // What is begun is finished.
            .take_while(|_| std::future::ready(!stop.is_cancelled()))
            .map(|stale| async move {
                let outcome = usecase::abort(broker, &stale, dry_run).await;
                (stale, outcome)
            })
            .buffer_unordered(AT_ONCE);
        while let Some((stale, outcome)) = worked.next().await {
            self.tell(&stale, outcome);
            if self.faults >= FAULTS {
                break;
            }
        }
    }

    fn tell(&mut self, stale: &Stale, outcome: Result<Option<Outcome>>) {
        let outcome = match outcome {
            Ok(outcome) => {
                self.faults = 0;
                outcome
            }
            Err(error) => {
                self.faults += 1;
                log::warn!(
                    "janitor: a multipart upload stays: {error}: {}",
                    cause(&error)
                );
                Some(Outcome::Failed)
            }
        };
        let Some(outcome) = outcome else { return };
        *match outcome {
            Outcome::Aborted => &mut self.done.aborted,
            Outcome::Reported => &mut self.done.reported,
            _ => &mut self.done.failed,
        } += 1;
        if !self.dry_run {
            self.broker
                .metrics
                .janitor
                .stale_multipart(outcome.as_str());
        }
        let now = self.broker.clock.now();
        self.report.tell(&stale.finding(outcome, self.dry_run, now));
    }
}

/// What is behind an error, for the log.
pub(super) fn cause(error: &Error) -> String {
    error.source().map(ToString::to_string).unwrap_or_default()
}
