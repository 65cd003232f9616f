//! What became of uploads.

use std::time::Duration;

use prometheus::{Histogram, IntCounterVec, Registry, Result};

use super::register::{LONG_SECONDS, counters, histogram};

/// What became of uploads.
#[derive(Debug)]
pub struct Uploads {
    transitions: IntCounterVec,
    verification_failures: IntCounterVec,
    drifts: IntCounterVec,
    created_to_uploaded: Histogram,
    uploaded_to_notified: Histogram,
}

impl Uploads {
    pub(super) fn new(registry: &Registry) -> Result<Self> {
        Ok(Self {
            transitions: counters(
                registry,
                "upload_transitions_total",
                "Changes of an upload's status, by the new one.",
                &["to"],
            )?,
            verification_failures: counters(
                registry,
                "verification_failures_total",
                "Objects that were not what was declared, by reason.",
                &["reason"],
            )?,
            drifts: counters(
                registry,
                "dataset_drifts_total",
                "Proven objects that were found missing, replaced, or back again.",
                &["found"],
            )?,
            created_to_uploaded: histogram(
                registry,
                "upload_created_to_uploaded_seconds",
                "Time from the creation of an upload to the proof of its object.",
                LONG_SECONDS,
            )?,
            uploaded_to_notified: histogram(
                registry,
                "upload_uploaded_to_notified_seconds",
                "Time from the proof of an object to SNS's receipt of the event.",
                LONG_SECONDS,
            )?,
        })
    }

    /// Counts a committed change of status; `to` is the new one.
    pub fn transition(&self, to: &'static str) {
        self.transitions.with_label_values(&[to]).inc();
    }

    /// Counts an object that was not what was declared.
    pub fn verification_failed(&self, reason: &'static str) {
        let failures = self.verification_failures.with_label_values(&[reason]);
        failures.inc();
    }

    /// Counts a change that was noticed of a proven object: `missing`, `replaced` or `restored`.
    pub fn drifted(&self, found: &'static str) {
        self.drifts.with_label_values(&[found]).inc();
    }

    /// Records the time from creation to proof.
    pub fn uploaded_after(&self, took: Duration) {
        self.created_to_uploaded.observe(took.as_secs_f64());
    }

    /// Records the time from proof to SNS's receipt.
    pub fn notified_after(&self, took: Duration) {
        self.uploaded_to_notified.observe(took.as_secs_f64());
    }
}
