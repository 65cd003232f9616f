//! Calls of S3 and SNS.

use std::time::Duration;

use prometheus::{HistogramVec, IntCounter, IntCounterVec, Registry, Result};

use super::register::{CALL_SECONDS, counters, histograms};

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallOutcome {
    /// As asked.
    Ok,
    /// What was asked for is not there (404): an answer, not a fault.
    Missing,
    /// The service refused (any other 4xx).
    Refused,
    /// No answer, or a 5xx.
    Failed,
}

impl CallOutcome {
    pub(super) fn label(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Missing => "missing",
            Self::Refused => "refused",
            Self::Failed => "failed",
        }
    }
}

/// Calls of S3. The count of calls is the histogram's own, `…_seconds_count`.
#[derive(Debug)]
pub struct S3Calls(HistogramVec);

impl S3Calls {
    pub(super) fn new(registry: &Registry) -> Result<Self> {
        let calls = histograms(
            registry,
            "s3_call_duration_seconds",
            "Time that calls of S3 took, by operation and outcome.",
            &["operation", "outcome"],
            CALL_SECONDS,
        )?;
        Ok(Self(calls))
    }

    /// Records a call; `operation` is S3's own name of it, such as `HeadObject`.
    pub fn called(&self, operation: &'static str, outcome: CallOutcome, took: Duration) {
        let calls = self.0.with_label_values(&[operation, outcome.label()]);
        calls.observe(took.as_secs_f64());
    }
}

/// Calls of SNS, and the entries in them: a call that succeeds can hold entries that failed.
#[derive(Debug)]
pub struct SnsCalls {
    calls: HistogramVec,
    accepted: IntCounter,
    failed: IntCounter,
}

impl SnsCalls {
    pub(super) fn new(registry: &Registry) -> Result<Self> {
        let entries: IntCounterVec = counters(
            registry,
            "sns_publish_entries_total",
            "Entries handed to SNS, by outcome.",
            &["outcome"],
        )?;
        Ok(Self {
            calls: histograms(
                registry,
                "sns_publish_duration_seconds",
                "Time that calls of PublishBatch took, by outcome.",
                &["outcome"],
                CALL_SECONDS,
            )?,
            accepted: entries.with_label_values(&["ok"]),
            failed: entries.with_label_values(&["failed"]),
        })
    }

    /// Records a call of PublishBatch.
    pub fn called(&self, outcome: CallOutcome, took: Duration) {
        let calls = self.calls.with_label_values(&[outcome.label()]);
        calls.observe(took.as_secs_f64());
    }

    /// Counts the entries of a call by what SNS did with them.
    pub fn entries(&self, accepted: u64, failed: u64) {
        self.accepted.inc_by(accepted);
        self.failed.inc_by(failed);
    }
}
