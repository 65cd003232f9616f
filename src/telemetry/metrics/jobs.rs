//! Metrics of jobs.

use std::time::Duration;

use chrono::TimeDelta;
use prometheus::{
    GaugeVec, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Registry, Result,
};

use super::register::{LONG_SECONDS, counter, counters_from_zero, gauges, histograms, int_gauges};

/// How an attempt can end.
const ATTEMPT_OUTCOMES: [&str; 6] = [
    "succeeded",
    "failed",
    "retried",
    "lapsed",
    "lease-lost",
    "cancelled",
];

/// Jobs.
#[derive(Debug)]
pub struct Jobs {
    claimed: IntCounter,
    attempts_ended: IntCounterVec,
    durations: HistogramVec,
    running: IntGaugeVec,
    queued: IntGaugeVec,
    oldest: GaugeVec,
}

/// A job that runs in this process, until it is dropped.
#[derive(Debug)]
pub struct RunningJob(IntGauge);

impl Jobs {
    pub(super) fn new(registry: &Registry) -> Result<Self> {
        Ok(Self {
            claimed: counter(
                registry,
                "jobs_claimed_total",
                "Jobs that workers and other systems have claimed.",
            )?,
            attempts_ended: counters_from_zero(
                registry,
                "job_attempts_ended_total",
                "Attempts at a job that ended, by outcome.",
                "outcome",
                ATTEMPT_OUTCOMES,
            )?,
            durations: histograms(
                registry,
                "job_attempt_seconds",
                "Time of an attempt of the workers of this process, by processor and outcome.",
                &["processor", "outcome"],
                LONG_SECONDS,
            )?,
            running: int_gauges(
                registry,
                "jobs_running",
                "Jobs that the workers of this process run, by processor.",
                &["processor"],
            )?,
            queued: int_gauges(
                registry,
                "jobs_queued",
                "Queued jobs of all tenants, by processor; at most 100,000 are counted.",
                &["processor"],
            )?,
            oldest: gauges(
                registry,
                "jobs_oldest_seconds",
                "Time since the longest waiting job was due, by processor; 0 if none is.",
                &["processor"],
            )?,
        })
    }

    /// Counts claimed jobs.
    pub fn claimed(&self, jobs: usize) {
        self.claimed.inc_by(u64::try_from(jobs).unwrap_or(u64::MAX));
    }

    /// Counts an attempt that ended, with one of [`ATTEMPT_OUTCOMES`].
    pub fn ended(&self, outcome: &'static str) {
        self.attempts_ended.with_label_values(&[outcome]).inc();
    }

    /// Records the time of an attempt.
    pub fn took(&self, processor: &'static str, outcome: &'static str, took: Duration) {
        let labels = &[processor, outcome];
        self.durations
            .with_label_values(labels)
            .observe(took.as_secs_f64());
    }

    /// Counts a job as running until the result is dropped.
    pub fn running(&self, processor: &'static str) -> RunningJob {
        let gauge = self.running.with_label_values(&[processor]);
        gauge.inc();
        RunningJob(gauge)
    }

    /// Sets the number of queued jobs of a processor, and for how long the oldest has been due.
    pub fn waiting(&self, processor: &'static str, queued: i64, oldest: Option<TimeDelta>) {
        self.queued.with_label_values(&[processor]).set(queued);
        let seconds = oldest.and_then(|age| age.to_std().ok()).unwrap_or_default();
        self.oldest
            .with_label_values(&[processor])
            .set(seconds.as_secs_f64());
    }
}

impl Drop for RunningJob {
    fn drop(&mut self) {
        self.0.dec();
    }
}
