//! The notification of the end of a run.

use std::time::Duration;

use super::super::Worker;
use super::super::message::DetectionEnd;
use super::super::queue::Verdict;
use crate::lifecycle::backoff::Backoff;
use crate::usecases::documents::detection::{self, Woken};

/// When a notification is delivered again that comes before the worker has saved the run.
const SOON: Duration = Duration::from_secs(2);

impl Worker {
    /// Makes the job due that waits for the end of a run. `receives` is how often the message was
    /// received.
    pub(in crate::worker) async fn wake_job_of_run(
        &self,
        end: &DetectionEnd,
        receives: u32,
    ) -> Verdict {
        match detection::wake(&self.broker, end.job, &end.run).await {
            Ok(Woken::Due | Woken::Unknown) => Verdict::Done,
            Ok(Woken::Running) => Verdict::Again(SOON),
            Err(error) => {
                log::warn!("worker: {error}");
                Verdict::Again(Backoff::default().delay(receives))
            }
        }
    }
}
