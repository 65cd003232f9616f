//! The loop that aborts stale multipart uploads in every bucket.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::abort_stale::{AbortCounts, AbortOutcome, abort_stale};
use super::loops::{all_buckets, cause, time_before};
use super::report::Report;
use crate::config;
use crate::domain::finding::{Finding, Outcome};
use crate::usecases::Broker;

/// The loop that aborts stale multipart uploads in every bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StaleMultipartLoop {
    /// The time from the end of one pass to the start of the next.
    pub period: Duration,
    /// How often to check whether a pass is due, or was abandoned by another process.
    pub poll_interval: Duration,
}

impl StaleMultipartLoop {
    /// Returns the loop that the settings ask for; `None` if they disable it.
    pub fn from_settings(settings: &config::Janitor) -> Option<Self> {
        Some(Self {
            period: settings.stale_period?,
            poll_interval: settings.period,
        })
    }

    /// Runs a pass whenever one is due, until `stop`. Aborts that have started are finished. A failure
    /// ends the current pass, and the next one starts over.
    pub async fn run(self, broker: Arc<Broker>, stop: CancellationToken) {
        let report = Report::to(log_aborted);
        while !stop.is_cancelled() {
            let before = time_before(&broker, self.period);
            for bucket in all_buckets(&broker).await {
                match abort_stale(&broker, &bucket, before, &report, &stop).await {
                    Ok(AbortOutcome::Completed(counts)) if counts != AbortCounts::default() => {
                        log::info!("stale multipart uploads of {bucket}: {counts:?}");
                    }
                    Ok(_) => {}
                    Err(error) => {
                        let cause = cause(&error);
                        log::warn!("stale multipart uploads of {bucket}: {error}: {cause}");
                    }
                }
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(self.poll_interval) => {}
            }
        }
    }
}

/// Logs a multipart upload that was aborted.
fn log_aborted(finding: &Finding) {
    if finding.outcome != Outcome::Aborted {
        return;
    }
    match finding.upload_id {
        Some(id) => log::info!("aborted the multipart upload of upload {id}, which has ended"),
        None => {
            let key = finding.key.as_deref().unwrap_or_default();
            log::info!("aborted a multipart upload at {key:?} that belongs to no upload");
        }
    }
}
