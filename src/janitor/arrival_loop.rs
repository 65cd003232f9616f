//! The loop that checks often whether the objects of uploads have arrived that no client acknowledges.
//!
//! The rounds of the janitor do it too, but they are too rare for a person who waits.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::job::Job;
use super::report::Report;
use super::task::Task;
use crate::config;
use crate::usecases::Broker;

/// The loop of arrival checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ArrivalLoop {
    /// The time from the end of one pass to the start of the next.
    pub period: Duration,
}

impl ArrivalLoop {
    /// Returns the loop that the settings ask for; `None` if they disable it.
    pub fn from_settings(settings: &config::Janitor) -> Option<Self> {
        let period = settings.arrival_check?;
        Some(Self { period })
    }

    /// Runs a pass after each period until `stop`. Checks that have started are finished. A failure ends
    /// the pass, and the next one finds the same rows.
    pub async fn run(self, broker: Arc<Broker>, stop: CancellationToken) {
        let job = Job {
            broker,
            tasks: vec![Task::Arrivals],
            dry_run: false,
            report: Report::discard(),
            stop,
        };
        loop {
            tokio::select! {
                () = job.stop.cancelled() => return,
                () = tokio::time::sleep(self.period) => {}
            }
            if let Err(error) = job.check_arrivals().await {
                log::warn!("janitor: arrivals could not be checked: {error}");
            }
        }
    }
}
