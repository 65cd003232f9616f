//! The loops that finish what was left, and compare what is there.

use chrono::{DateTime, Utc};
use prometheus::{Gauge, IntCounter, IntCounterVec, Registry, Result};

use super::register::{counter, counters, gauge};

/// The loops that finish what was left, and compare what is there.
#[derive(Debug)]
pub struct Janitor {
    rounds: IntCounterVec,
    checked: IntCounter,
    outcomes: IntCounterVec,
    deletes: IntCounterVec,
    last_looks: IntCounterVec,
    removed: IntCounterVec,
    multiparts: IntCounterVec,
    swept: IntCounterVec,
    findings: IntCounterVec,
    sweeps: IntCounterVec,
    sweep_finished: Gauge,
}

impl Janitor {
    pub(super) fn new(registry: &Registry) -> Result<Self> {
        // Every line is there from the start, at zero, for those who look at rates.
        let counters = |name, help, label, values: &[&str]| {
            let family = counters(registry, name, help, &[label])?;
            for value in values {
                family.with_label_values(&[value]);
            }
            Ok::<_, prometheus::Error>(family)
        };
        Ok(Self {
            rounds: counters(
                "janitor_rounds_total",
                "Rounds of the janitor, by how they ended; a failed one is made again.",
                "outcome",
                &["finished", "failed"],
            )?,
            checked: counter(
                registry,
                "janitor_checked_total",
                "Overdue uploads that the janitor looked at.",
            )?,
            outcomes: counters(
                "janitor_outcomes_total",
                "Overdue uploads by what became of them; a failed one is looked at again.",
                "outcome",
                &["uploaded", "expired", "left", "failed"],
            )?,
            deletes: counters(
                "janitor_deletes_total",
                "Deletes that had not ended, by what became of them.",
                "outcome",
                &["deleted", "failed"],
            )?,
            last_looks: counters(
                "janitor_last_looks_total",
                "Looks at deleted and cancelled uploads after the end of their URL, by outcome.",
                "outcome",
                &["removed", "kept", "clean", "failed"],
            )?,
            removed: counters(
                "janitor_removed_rows_total",
                "Rows that were kept for their time and are removed.",
                "what",
                &[
                    "old-idempotency-keys",
                    "ended-tokens",
                    "old-events",
                    "old-uploads",
                    "old-audit-rows",
                ],
            )?,
            multiparts: counters(
                "stale_multipart_uploads_total",
                "Multipart uploads at S3 that nothing needs any more, by what became of them; a failed one is aborted the next time.",
                "outcome",
                &["aborted", "reported", "failed"],
            )?,
            swept: counters(
                "sweep_compared_total",
                "Objects and rows that were compared with each other.",
                "what",
                &["objects", "rows"],
            )?,
            findings: counters(
                "sweep_findings_total",
                "What the comparison of the bucket with the rows came upon.",
                "what",
                &[
                    "row-without-object",
                    "other-etag",
                    "restored",
                    "object-without-row",
                    "unacknowledged-object",
                ],
            )?,
            sweeps: counters(
                "sweeps_total",
                "Comparisons of the bucket with the rows, by how they ended.",
                "outcome",
                &["finished", "failed", "stopped", "lost"],
            )?,
            sweep_finished: gauge(
                registry,
                "sweep_finished_timestamp_seconds",
                "When this process last came to the end of a comparison; 0 before.",
            )?,
        })
    }

    /// Counts a round, by `finished` or `failed`.
    pub fn round(&self, outcome: &'static str) {
        self.rounds.with_label_values(&[outcome]).inc();
    }

    /// Counts an overdue upload that was looked at, by `uploaded`, `expired`, `left` or `failed`.
    pub fn expired(&self, outcome: &'static str) {
        self.checked.inc();
        self.outcomes.with_label_values(&[outcome]).inc();
    }

    /// Counts the rest of a delete, by `deleted` or `failed`.
    pub fn deleted(&self, outcome: &'static str) {
        self.deletes.with_label_values(&[outcome]).inc();
    }

    /// Counts a last look, by `removed`, `kept`, `clean` or `failed`.
    pub fn final_check(&self, outcome: &'static str) {
        self.last_looks.with_label_values(&[outcome]).inc();
    }

    /// Counts rows that are removed because they are old.
    pub fn removed(&self, what: &'static str, rows: u64) {
        self.removed.with_label_values(&[what]).inc_by(rows);
    }

    /// Counts a multipart upload that nothing needs, by `aborted`, `reported` or `failed`.
    pub fn stale_multipart(&self, outcome: &'static str) {
        self.multiparts.with_label_values(&[outcome]).inc();
    }

    /// Counts what was compared.
    pub fn swept(&self, objects: u64, rows: u64) {
        self.swept.with_label_values(&["objects"]).inc_by(objects);
        self.swept.with_label_values(&["rows"]).inc_by(rows);
    }

    /// Counts something that a sweep came upon.
    pub fn found(&self, what: &'static str) {
        self.findings.with_label_values(&[what]).inc();
    }

    /// Counts a sweep that came to its end.
    pub fn sweep_finished(&self, at: DateTime<Utc>) {
        self.sweeps.with_label_values(&["finished"]).inc();
        // Whole seconds: exact for longer than anybody looks at dashboards.
        let seconds = u32::try_from(at.timestamp()).unwrap_or(u32::MAX);
        self.sweep_finished.set(f64::from(seconds));
    }

    /// Counts a sweep that was left before its end, by `failed`, `stopped` or `lost`.
    pub fn sweep_left(&self, outcome: &'static str) {
        self.sweeps.with_label_values(&[outcome]).inc();
    }
}
