//! When and how fast the buckets are compared with the rows.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio_util::sync::CancellationToken;

use super::stale::cause;
use super::{Job, Report};
use crate::config;
use crate::domain::finding::{Finding, FindingKind};
use crate::usecases::maintenance::sweep::{self as usecase, Begun, Compared, Pass, Stepped};
use crate::usecases::{Broker, Result};

/// The loop that compares every bucket with the rows. Stale multipart uploads have one of their own
/// ([`StaleWalks`](super::StaleWalks)): a sweep may take days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sweeps {
    /// Time from the end of a sweep to the next one.
    pub period: Duration,
    /// Rest after each page: other requests to S3 and Postgres come first.
    pub pause: Duration,
    /// How often to ask whether one is due, or was left by another process.
    pub ask_every: Duration,
}

/// How a sweep ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Swept {
    /// Everything is compared; `resumed_after` is the key behind which this process began.
    Through {
        /// How much of it.
        compared: Compared,
        /// Where an earlier process had stopped.
        resumed_after: Option<String>,
    },
    /// It was stopped, and goes on from there the next time.
    Stopped(Compared),
    /// Another process is at it, or took over.
    Elsewhere,
    /// The last one is not long ago.
    NotDue,
}

impl Sweeps {
    /// As the settings say; nothing where there are to be none.
    pub fn of(settings: &config::Janitor) -> Option<Self> {
        Some(Self {
            period: settings.sweep_period?,
            pause: settings.sweep_pause,
            ask_every: settings.period,
        })
    }

    /// Sweeps whenever it is time until `stop`; the page at hand is finished. A fault ends the sweep
    /// at hand, which is gone on with at the next question.
    pub async fn run(self, broker: Arc<Broker>, stop: CancellationToken) {
        let report = Report::to(log_finding);
        while !stop.is_cancelled() {
            let before = ago(&broker, self.period);
            for bucket in buckets(&broker).await {
                match sweep(&broker, &bucket, before, self.pause, &report, &stop).await {
                    Ok(Swept::Through { compared, .. }) => {
                        log::info!("sweep of {bucket}: through: {compared:?}");
                    }
                    Ok(_) => {}
                    Err(error) => log::warn!("sweep of {bucket}: {error}: {}", cause(&error)),
                }
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(self.ask_every) => {}
            }
        }
    }
}

/// All buckets; one that cannot be reached holds up no other.
pub(super) async fn buckets(broker: &Broker) -> Vec<String> {
    broker.all_buckets().await.unwrap_or_else(|error| {
        log::warn!("the buckets are not known: {error}: {}", cause(&error));
        Vec::new()
    })
}

pub(super) fn ago(broker: &Broker, period: Duration) -> DateTime<Utc> {
    let period = TimeDelta::from_std(period).unwrap_or(TimeDelta::MAX);
    let then = broker.clock.now().checked_sub_signed(period);
    then.unwrap_or(DateTime::UNIX_EPOCH)
}

/// One sweep of a bucket, or the rest of one that was left: a new one only where the last one ended
/// before `ended_before`.
pub async fn sweep(
    broker: &Arc<Broker>,
    bucket: &str,
    ended_before: DateTime<Utc>,
    pause: Duration,
    report: &Report,
    stop: &CancellationToken,
) -> Result<Swept> {
    let pass = match usecase::begin(broker, bucket, ended_before).await? {
        Begun::Pass(pass) => pass,
        Begun::Elsewhere => return Ok(Swept::Elsewhere),
        Begun::NotDue => return Ok(Swept::NotDue),
    };
    let metrics = &broker.metrics.janitor;
    let mut pass = *pass;
    let swept = match pass.keeper() {
        Some(keeper) => {
            let walk = go(&mut pass, broker, pause, report, stop, true);
            keeper.during(walk).await.unwrap_or(Ok(Swept::Elsewhere))
        }
        None => go(&mut pass, broker, pause, report, stop, true).await,
    };
    match &swept {
        Ok(Swept::Through { .. }) => metrics.sweep_finished(broker.clock.now()),
        Ok(Swept::Stopped(_)) => metrics.sweep_left("stopped"),
        Ok(_) => metrics.sweep_left("lost"),
        Err(_) => metrics.sweep_left("failed"),
    }
    swept
}

impl Job {
    /// One sweep without rests, of a bucket that may have been swept a moment ago.
    pub async fn sweep(&self, bucket: &str) -> Result<Swept> {
        let (broker, report, stop) = (&self.broker, &self.report, &self.stop);
        if self.dry_run {
            let mut pass = usecase::dry_run(broker, bucket).await?;
            return go(&mut pass, broker, Duration::ZERO, report, stop, false).await;
        }
        let now = broker.clock.now();
        sweep(broker, bucket, now, Duration::ZERO, report, stop).await
    }
}

async fn go(
    pass: &mut Pass,
    broker: &Broker,
    pause: Duration,
    report: &Report,
    stop: &CancellationToken,
    counts: bool,
) -> Result<Swept> {
    let metrics = &broker.metrics.janitor;
    let mut before = Compared::default();
    while !stop.is_cancelled() {
        let stepped = match pass.step().await {
            Ok(stepped) => stepped,
            Err(error) => {
                if let Err(fault) = pass.leave().await {
                    log::warn!("sweep: it stays claimed until its lease ends: {fault}");
                }
                return Err(error);
            }
        };
        let now = pass.compared;
        if counts {
            metrics.swept(now.objects - before.objects, now.rows - before.rows);
        }
        before = now;
        let (findings, through) = match stepped {
            Stepped::On(findings) => (findings, false),
            Stepped::Through(findings) => (findings, true),
            Stepped::Lost => return Ok(Swept::Elsewhere),
        };
        for finding in &findings {
            if counts {
                metrics.found(finding.kind.as_str());
            }
            report.tell(finding);
        }
        if through {
            return Ok(Swept::Through {
                compared: pass.compared,
                resumed_after: pass.resumed_after.take(),
            });
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
    pass.leave().await?;
    Ok(Swept::Stopped(pass.compared))
}

/// A line for what is wrong with a dataset. A bucket may be full of what other programs wrote: that
/// is counted, and told by the command.
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
