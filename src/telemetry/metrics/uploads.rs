//! Metrics of uploads.

use std::time::Duration;

use prometheus::{Histogram, IntCounterVec, Registry, Result};

use super::register::{LONG_SECONDS, counters, counters_from_zero, histogram};

/// Uploads.
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
                "Changes of the status of an upload, by the new status.",
                &["to"],
            )?,
            verification_failures: counters(
                registry,
                "verification_failures_total",
                "Objects that differed from the declaration, by reason.",
                &["reason"],
            )?,
            drifts: counters_from_zero(
                registry,
                "dataset_drifts_total",
                "Verified objects that were found missing, replaced, or restored.",
                "found",
                ["missing", "replaced", "restored"],
            )?,
            created_to_uploaded: histogram(
                registry,
                "upload_created_to_uploaded_seconds",
                "Time from the creation of an upload to the verification of its object.",
                LONG_SECONDS,
            )?,
            uploaded_to_notified: histogram(
                registry,
                "upload_uploaded_to_notified_seconds",
                "Time from the verification of an object until SNS accepted the event.",
                LONG_SECONDS,
            )?,
        })
    }

    /// Counts a committed change of status. `to` is the new status.
    pub fn transition(&self, to: &'static str) {
        self.transitions.with_label_values(&[to]).inc();
    }

    /// Counts an object that differed from the declaration.
    pub fn verification_failed(&self, reason: &'static str) {
        let failures = self.verification_failures.with_label_values(&[reason]);
        failures.inc();
    }

    /// Counts a noticed change of a verified object. `found` is `missing`, `replaced` or
    /// `restored`.
    pub fn drifted(&self, found: &'static str) {
        self.drifts.with_label_values(&[found]).inc();
    }

    /// Records the time from creation to verification.
    pub fn uploaded_after(&self, took: Duration) {
        self.created_to_uploaded.observe(took.as_secs_f64());
    }

    /// Records the time from verification until SNS accepted the event.
    pub fn notified_after(&self, took: Duration) {
        self.uploaded_to_notified.observe(took.as_secs_f64());
    }
}
