//! The loop that finishes overdue uploads.

use prometheus::{IntCounter, Registry, Result};

use super::register::{counter, counters};

/// The loop that finishes overdue uploads.
#[derive(Debug)]
pub struct Janitor {
    checked: IntCounter,
    uploaded: IntCounter,
    expired: IntCounter,
    failed: IntCounter,
}

impl Janitor {
    pub(super) fn new(registry: &Registry) -> Result<Self> {
        let outcomes = counters(
            registry,
            "janitor_outcomes_total",
            "Overdue uploads by what became of them; a failed one is looked at again.",
            &["outcome"],
        )?;
        Ok(Self {
            checked: counter(
                registry,
                "janitor_checked_total",
                "Overdue uploads that the janitor looked at.",
            )?,
            uploaded: outcomes.with_label_values(&["uploaded"]),
            expired: outcomes.with_label_values(&["expired"]),
            failed: outcomes.with_label_values(&["failed"]),
        })
    }

    /// Counts an overdue upload that is being looked at.
    pub fn checked(&self) {
        self.checked.inc();
    }

    /// Counts one whose object was there and right.
    pub fn uploaded(&self) {
        self.uploaded.inc();
    }

    /// Counts one that nothing came for.
    pub fn expired(&self) {
        self.expired.inc();
    }

    /// Counts one that could not be decided.
    pub fn failed(&self) {
        self.failed.inc();
    }
}
