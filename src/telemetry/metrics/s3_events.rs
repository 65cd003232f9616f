//! Metrics of S3 event notifications, which arrive through SQS.

use std::time::Duration;

use prometheus::{Gauge, HistogramVec, IntCounter, IntCounterVec, Registry, Result};

use super::calls::CallOutcome;
use super::register::{CALL_SECONDS, counter, counters, gauge, histograms};

/// S3 event notifications, which arrive through SQS.
#[derive(Debug)]
pub struct S3Events {
    received: IntCounter,
    handled: IntCounterVec,
    oldest: Gauge,
    calls: HistogramVec,
}

impl S3Events {
    pub(super) fn new(registry: &Registry) -> Result<Self> {
        Ok(Self {
            received: counter(
                registry,
                "s3_events_received_total",
                "Messages with S3 events that were received, including repeated ones.",
            )?,
            handled: counters(
                registry,
                "s3_events_total",
                "Messages with S3 events, by outcome. Early, failed, returned and unreadable messages stay in the queue.",
                &["outcome"],
            )?,
            oldest: gauge(
                registry,
                "s3_events_oldest_age_seconds",
                "Age of the oldest message in the last receive; 0 if there was none.",
            )?,
            calls: histograms(
                registry,
                "sqs_call_duration_seconds",
                "Duration of calls to SQS, by operation and outcome. A receive waits for messages.",
                &["operation", "outcome"],
                CALL_SECONDS,
            )?,
        })
    }

    /// Counts received messages, and sets the age of the oldest of them.
    pub fn received(&self, messages: u64, oldest: Duration) {
        self.received.inc_by(messages);
        self.oldest.set(oldest.as_secs_f64());
    }

    /// Counts messages by their outcome.
    pub fn handled(&self, outcome: &'static str, messages: u64) {
        let handled = self.handled.with_label_values(&[outcome]);
        handled.inc_by(messages);
    }

    /// Records a call. `operation` is its name in SQS.
    pub fn called(&self, operation: &'static str, outcome: CallOutcome, took: Duration) {
        let calls = self.calls.with_label_values(&[operation, outcome.label()]);
        calls.observe(took.as_secs_f64());
    }
}
