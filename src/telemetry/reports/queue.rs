//! The queue of reports.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::mpsc;

use super::fault::Fault;
use crate::telemetry::Metrics;
use crate::telemetry::metrics::ReportOutcome;

/// The largest number of reports that wait.
const MAX_WAITING: usize = 64;
/// The largest number of reports in a minute.
pub(super) const MAX_PER_MINUTE: u32 = 30;

/// Takes reports. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Reporter(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    sender: mpsc::Sender<Fault>,
    metrics: Arc<Metrics>,
    minute: Mutex<Minute>,
}

/// The reports of the current minute.
#[derive(Debug)]
struct Minute {
    start: Instant,
    reports: u32,
}

/// Creates a reporter, and the queue of its reports.
pub(super) fn new(metrics: Arc<Metrics>) -> (Reporter, mpsc::Receiver<Fault>) {
    let (sender, receiver) = mpsc::channel(MAX_WAITING);
    let minute = Mutex::new(Minute {
        start: Instant::now(),
        reports: 0,
    });
    let inner = Inner {
        sender,
        metrics,
        minute,
    };
    (Reporter(Arc::new(inner)), receiver)
}

impl Reporter {
    /// Reports a fault, unless there were too many. It never waits.
    pub fn report(&self, fault: Fault) {
        let inner = &self.0;
        let fits = {
            let mut minute = inner.minute.lock().unwrap_or_else(PoisonError::into_inner);
            minute.take(Instant::now())
        };
        if !fits || inner.sender.try_send(fault).is_err() {
            inner.metrics.reports.ended(ReportOutcome::Dropped);
        }
    }
}

impl Minute {
    /// Whether another report may be sent at `now`; it is counted then.
    fn take(&mut self, now: Instant) -> bool {
        if now.saturating_duration_since(self.start) >= Duration::from_secs(60) {
            self.start = now;
            self.reports = 0;
        }
        let fits = self.reports < MAX_PER_MINUTE;
        self.reports += u32::from(fits);
        fits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_of_a_minute_are_limited() {
        let start = Instant::now();
        let mut minute = Minute { start, reports: 0 };
        let taken = (0..MAX_PER_MINUTE + 5)
            .filter(|_| minute.take(start))
            .count();
        assert_eq!(u32::try_from(taken), Ok(MAX_PER_MINUTE));
        assert!(!minute.take(start + Duration::from_secs(59)));
        assert!(minute.take(start + Duration::from_secs(60)));
    }
}
