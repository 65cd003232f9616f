//! Metrics of the janitor.

use chrono::{DateTime, Utc};
use prometheus::{Gauge, IntCounter, IntCounterVec, Registry, Result};

use super::register::{counter, counters, gauge};

/// The loops of the janitor, which complete interrupted work and compare the bucket with the rows.
#[derive(Debug)]
pub struct Janitor {
    rounds: IntCounterVec,
    arrivals: IntCounterVec,
    checked: IntCounter,
    outcomes: IntCounterVec,
    deletes: IntCounterVec,
    final_checks: IntCounterVec,
    removed: IntCounterVec,
    multiparts: IntCounterVec,
    swept: IntCounterVec,
    findings: IntCounterVec,
    sweeps: IntCounterVec,
    sweep_finished: Gauge,
}

impl Janitor {
    pub(super) fn new(registry: &Registry) -> Result<Self> {
        // Every series exists from the start with the value 0, so that rates can be computed.
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
                "Rounds of the janitor, by outcome. A failed round is repeated.",
                "outcome",
                &["finished", "failed"],
            )?,
            arrivals: counters(
                "janitor_arrival_checks_total",
                "Checks whether the object of an upload has arrived that no client acknowledges, by outcome. After `left` and `failed` it is checked again.",
                "outcome",
                &["uploaded", "refused", "left", "failed"],
            )?,
            checked: counter(
                registry,
                "janitor_checked_total",
                "Overdue uploads that the janitor checked.",
            )?,
            outcomes: counters(
                "janitor_outcomes_total",
                "Overdue uploads that the janitor checked, by outcome. A failed one is checked again.",
                "outcome",
                &["uploaded", "expired", "left", "failed"],
            )?,
            deletes: counters(
                "janitor_deletes_total",
                "Interrupted deletes that the janitor continued, by outcome.",
                "outcome",
                &["deleted", "failed"],
            )?,
            final_checks: counters(
                "janitor_last_looks_total",
                "Final checks of deleted and cancelled uploads after their URLs have expired, by outcome.",
                "outcome",
                &["removed", "kept", "clean", "failed"],
            )?,
            removed: counters(
                "janitor_removed_rows_total",
                "Rows that were deleted at the end of their retention.",
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
                "Multipart uploads in S3 that are no longer needed, by outcome. A failed one is aborted in the next round.",
                "outcome",
                &["aborted", "reported", "failed"],
            )?,
            swept: counters(
                "sweep_compared_total",
                "Objects and rows that a sweep compared.",
                "what",
                &["objects", "rows"],
            )?,
            findings: counters(
                "sweep_findings_total",
                "Differences between the bucket and the rows that a sweep found, by kind.",
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
                "Sweeps, which compare the bucket with the rows, by outcome.",
                "outcome",
                &["finished", "failed", "stopped", "lost"],
            )?,
            sweep_finished: gauge(
                registry,
                "sweep_finished_timestamp_seconds",
                "When this process last finished a sweep; 0 before.",
            )?,
        })
    }

    /// Counts a round. `outcome` is `finished` or `failed`.
    pub fn round(&self, outcome: &'static str) {
        self.rounds.with_label_values(&[outcome]).inc();
    }

    /// Counts a check whether an object has arrived. `outcome` is `uploaded`, `refused`, `left` or
    /// `failed`.
    pub fn arrival_checked(&self, outcome: &'static str) {
        self.arrivals.with_label_values(&[outcome]).inc();
    }

    /// Counts an overdue upload that was checked. `outcome` is `uploaded`, `expired`, `left` or
    /// `failed`.
    pub fn expired(&self, outcome: &'static str) {
        self.checked.inc();
        self.outcomes.with_label_values(&[outcome]).inc();
    }

    /// Counts an interrupted delete. `outcome` is `deleted` or `failed`.
    pub fn deleted(&self, outcome: &'static str) {
        self.deletes.with_label_values(&[outcome]).inc();
    }

    /// Counts a final check. `outcome` is `removed`, `kept`, `clean` or `failed`.
    pub fn final_check(&self, outcome: &'static str) {
        self.final_checks.with_label_values(&[outcome]).inc();
    }

    /// Counts rows that were deleted at the end of their retention.
    pub fn removed(&self, what: &'static str, rows: u64) {
        self.removed.with_label_values(&[what]).inc_by(rows);
    }

    /// Counts a multipart upload that is no longer needed. `outcome` is `aborted`, `reported` or
    /// `failed`.
    pub fn stale_multipart(&self, outcome: &'static str) {
        self.multiparts.with_label_values(&[outcome]).inc();
    }

    /// Counts objects and rows that were compared.
    pub fn swept(&self, objects: u64, rows: u64) {
        self.swept.with_label_values(&["objects"]).inc_by(objects);
        self.swept.with_label_values(&["rows"]).inc_by(rows);
    }

    /// Counts a difference that a sweep found.
    pub fn found(&self, what: &'static str) {
        self.findings.with_label_values(&[what]).inc();
    }

    /// Counts a finished sweep.
    pub fn sweep_finished(&self, at: DateTime<Utc>) {
        self.sweeps.with_label_values(&["finished"]).inc();
        // Seconds since 1970 fit into 32 bits until the year 2106.
        let seconds = u32::try_from(at.timestamp()).unwrap_or(u32::MAX);
        self.sweep_finished.set(f64::from(seconds));
    }

    /// Counts a sweep that did not finish. `outcome` is `failed`, `stopped` or `lost`.
    pub fn sweep_left(&self, outcome: &'static str) {
        self.sweeps.with_label_values(&[outcome]).inc();
    }
}
