//! When the multipart uploads that are open at S3 are looked through.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::stale::cause;
use super::sweeps::{ago, buckets};
use super::{Aborted, Cleared, Report, abort_stale};
use crate::config;
use crate::domain::finding::{Finding, Outcome};
use crate::usecases::Broker;

/// The loop that aborts stale multipart uploads in every bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StaleWalks {
    /// Time from the end of a walk to the next one.
    pub period: Duration,
    /// How often to ask whether one is due, or was left by another process.
    pub ask_every: Duration,
}

impl StaleWalks {
    /// As the settings say; nothing where there are to be none.
    pub fn of(settings: &config::Janitor) -> Option<Self> {
        Some(Self {
            period: settings.stale_period?,
            ask_every: settings.period,
        })
    }

    /// Walks whenever it is time until `stop`; the aborts at hand are finished. A fault ends the walk
    /// at hand, and the next one begins anew.
    pub async fn run(self, broker: Arc<Broker>, stop: CancellationToken) {
        let report = Report::to(log_aborted);
        while !stop.is_cancelled() {
            let before = ago(&broker, self.period);
            for bucket in buckets(&broker).await {
                match abort_stale(&broker, &bucket, before, &report, &stop).await {
                    Ok(Cleared::Through(all)) if all != Aborted::default() => {
                        log::info!("stale multipart uploads of {bucket}: {all:?}");
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
                () = tokio::time::sleep(self.ask_every) => {}
            }
        }
    }
}

/// A line for what was aborted.
fn log_aborted(finding: &Finding) {
    if finding.outcome != Outcome::Aborted {
        return;
    }
    match finding.upload_id {
        Some(id) => log::info!("the parts of upload {id} are aborted: it has ended"),
        None => {
            let key = finding.key.as_deref().unwrap_or_default();
            log::info!("parts at {key:?} are aborted: no upload knows them");
        }
    }
}
