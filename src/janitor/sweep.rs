//! The sweep, which compares the buckets with the rows: its schedule and its pace.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio_util::sync::CancellationToken;

use super::job::Job;
use super::loops::{all_buckets, cause, time_before};
use super::report::Report;
use crate::config;
use crate::domain::finding::{Finding, FindingKind};
use crate::usecases::maintenance::sweep::{
    self as usecase, Compared, Pass, StepOutcome, SweepStart,
};
use crate::usecases::{Broker, Result};

/// The loop that compares every bucket with the rows. Stale multipart uploads have a separate loop
/// ([`StaleMultipartLoop`](super::StaleMultipartLoop)), because a sweep may take days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SweepLoop {
    /// The time from the end of one sweep to the start of the next.
    pub period: Duration,
    /// The pause after each page, which leaves S3 and Postgres to other requests.
    pub pause: Duration,
    /// How often to check whether a sweep is due, or was abandoned by another process.
    pub poll_interval: Duration,
}

/// How a sweep of a bucket ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SweepOutcome {
    /// The whole bucket was compared.
    Completed {
        /// The number of objects and rows that were compared.
        compared: Compared,
        /// The key after which this process resumed the sweep of an earlier process.
        resumed_after: Option<String>,
    },
    /// The sweep was stopped. The next one resumes where this one stopped.
    Stopped(Compared),
    /// Another process holds the lease, or took it over.
    LeasedElsewhere,
    /// The last sweep ended recently.
    NotDue,
}

impl SweepLoop {
    /// Returns the loop that the settings ask for; `None` if they disable it.
    pub fn from_settings(settings: &config::Janitor) -> Option<Self> {
        Some(Self {
            period: settings.sweep_period?,
            pause: settings.sweep_pause,
            poll_interval: settings.period,
        })
    }

    /// Sweeps whenever a sweep is due, until `stop`. The current page is finished. A failure ends the
    /// current sweep, and the next poll resumes it.
    pub async fn run(self, broker: Arc<Broker>, stop: CancellationToken) {
        let report = Report::to(log_finding);
        while !stop.is_cancelled() {
            let before = time_before(&broker, self.period);
            for bucket in all_buckets(&broker).await {
                match sweep(&broker, &bucket, before, self.pause, &report, &stop).await {
                    Ok(SweepOutcome::Completed { compared, .. }) => {
                        log::info!("sweep of {bucket}: completed: {compared:?}");
                    }
                    Ok(_) => {}
                    Err(error) => log::warn!("sweep of {bucket}: {error}: {}", cause(&error)),
                }
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(self.poll_interval) => {}
            }
        }
    }
}

/// Sweeps a bucket, or resumes an interrupted sweep. A new sweep starts only if the last one ended
/// before `ended_before`.
///
/// # Errors
/// Postgres or S3 is unavailable.
pub async fn sweep(
    broker: &Arc<Broker>,
    bucket: &str,
    ended_before: DateTime<Utc>,
    pause: Duration,
    report: &Report,
    stop: &CancellationToken,
) -> Result<SweepOutcome> {
    let pass = match usecase::begin(broker, bucket, ended_before).await? {
        SweepStart::Leased(pass) => pass,
        SweepStart::LeasedElsewhere => return Ok(SweepOutcome::LeasedElsewhere),
        SweepStart::NotDue => return Ok(SweepOutcome::NotDue),
    };
    let metrics = &broker.metrics.janitor;
    let mut pass = *pass;
    let outcome = match pass.lease_renewal() {
        Some(renewal) => {
            let work = run_pass(&mut pass, broker, pause, report, stop, true);
            renewal
                .during(work)
                .await
                .unwrap_or(Ok(SweepOutcome::LeasedElsewhere))
        }
        None => run_pass(&mut pass, broker, pause, report, stop, true).await,
    };
    match &outcome {
        Ok(SweepOutcome::Completed { .. }) => metrics.sweep_finished(broker.clock.now()),
        Ok(SweepOutcome::Stopped(_)) => metrics.sweep_left("stopped"),
        Ok(_) => metrics.sweep_left("lost"),
        Err(_) => metrics.sweep_left("failed"),
    }
    outcome
}

impl Job {
    /// Sweeps a bucket without pauses, however recent the last sweep is.
    ///
    /// # Errors
    /// Postgres or S3 is unavailable.
    pub async fn sweep(&self, bucket: &str) -> Result<SweepOutcome> {
        let (broker, report, stop) = (&self.broker, &self.report, &self.stop);
        if self.dry_run {
            let mut pass = usecase::dry_run(broker, bucket).await?;
            return run_pass(&mut pass, broker, Duration::ZERO, report, stop, false).await;
        }
        let now = broker.clock.now();
        sweep(broker, bucket, now, Duration::ZERO, report, stop).await
    }
}

async fn run_pass(
    pass: &mut Pass,
    broker: &Broker,
    pause: Duration,
    report: &Report,
    stop: &CancellationToken,
    updates_metrics: bool,
) -> Result<SweepOutcome> {
    let metrics = &broker.metrics.janitor;
    let mut before = Compared::default();
    while !stop.is_cancelled() {
        let stepped = match pass.step().await {
            Ok(stepped) => stepped,
            Err(error) => {
                if let Err(release) = pass.release().await {
                    log::warn!("sweep: the bucket stays leased until the lease ends: {release}");
                }
                return Err(error);
            }
        };
        let now = pass.compared;
        if updates_metrics {
            metrics.swept(now.objects - before.objects, now.rows - before.rows);
        }
        before = now;
        let (findings, is_complete) = match stepped {
            StepOutcome::More(findings) => (findings, false),
            StepOutcome::Completed(findings) => (findings, true),
            StepOutcome::LeaseLost => return Ok(SweepOutcome::LeasedElsewhere),
        };
        for finding in &findings {
            if updates_metrics {
                metrics.found(finding.kind.as_str());
            }
            report.send(finding);
        }
        if is_complete {
            return Ok(SweepOutcome::Completed {
                compared: pass.compared,
                resumed_after: pass.resumed_after.take(),
            });
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
    pass.release().await?;
    Ok(SweepOutcome::Stopped(pass.compared))
}

/// Logs a difference between a dataset and its object. Objects without a dataset are logged at debug
/// level: a bucket may contain any number of objects of other programs, which the metrics count and
/// the command `janitor` prints.
fn log_finding(finding: &Finding) {
    let level = match finding.kind {
        FindingKind::ObjectWithoutRow | FindingKind::UnacknowledgedObject => log::Level::Debug,
        _ => log::Level::Warn,
    };
    let id = finding
        .upload_id
        .map(|id| id.to_string())
        .unwrap_or_default();
    let (what, outcome) = (finding.kind.as_str(), finding.outcome.as_str());
    log::log!(level, "sweep: {what} ({outcome}): upload {id}");
}
