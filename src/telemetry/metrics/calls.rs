//! Metrics of calls to S3, SNS and Textract.

use std::time::Duration;

use prometheus::{HistogramVec, IntCounter, IntCounterVec, Registry, Result};

use super::register::{CALL_SECONDS, counters, histograms};

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallOutcome {
    /// The call succeeded.
    Ok,
    /// The object does not exist (404). This is a valid response, not a fault.
    Missing,
    /// The service rejected the call (any other 4xx).
    Refused,
    /// There was no response, or a 5xx.
    Failed,
}

impl CallOutcome {
    /// The value of the label `outcome`.
    pub fn label(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Missing => "missing",
            Self::Refused => "refused",
            Self::Failed => "failed",
        }
    }
}

/// Calls to S3. The number of calls is part of the histogram: `…_seconds_count`.
#[derive(Debug)]
pub struct S3Calls(HistogramVec);

impl S3Calls {
    pub(super) fn new(registry: &Registry) -> Result<Self> {
        let calls = histograms(
            registry,
            "s3_call_duration_seconds",
            "Duration of calls to S3, by operation and outcome.",
            &["operation", "outcome"],
            CALL_SECONDS,
        )?;
        Ok(Self(calls))
    }

    /// Records a call. `operation` is its name in S3, such as `HeadObject`.
    pub fn called(&self, operation: &'static str, outcome: CallOutcome, took: Duration) {
        let calls = self.0.with_label_values(&[operation, outcome.label()]);
        calls.observe(took.as_secs_f64());
    }
}

/// Calls to Textract.
#[derive(Debug)]
pub struct TextractCalls(HistogramVec);

impl TextractCalls {
    pub(super) fn new(registry: &Registry) -> Result<Self> {
        let calls = histograms(
            registry,
            "textract_call_duration_seconds",
            "Duration of calls to Textract, by operation and outcome.",
            &["operation", "outcome"],
            CALL_SECONDS,
        )?;
        Ok(Self(calls))
    }

    /// Records a call. `operation` is its name in Textract.
    pub fn called(&self, operation: &'static str, outcome: CallOutcome, took: Duration) {
        let calls = self.0.with_label_values(&[operation, outcome.label()]);
        calls.observe(took.as_secs_f64());
    }
}

/// Calls to SNS, and the entries in them. A successful call can contain entries that failed.
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
            "Entries that were sent to SNS, by outcome.",
            &["outcome"],
        )?;
        Ok(Self {
            calls: histograms(
                registry,
                "sns_publish_duration_seconds",
                "Duration of calls of PublishBatch, by outcome.",
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

    /// Counts the entries of a call by their outcome.
    pub fn entries(&self, accepted: u64, failed: u64) {
        self.accepted.inc_by(accepted);
        self.failed.inc_by(failed);
    }
}
