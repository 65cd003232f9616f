//! Metrics of the audit trail.

use prometheus::{IntCounter, IntGauge, Registry, Result};

use super::register::{counter, int_gauge, signed};

/// Audit rows on their way to Postgres.
#[derive(Debug)]
pub struct Audit {
    waiting: IntGauge,
    written: IntCounter,
    lost: IntCounter,
}

impl Audit {
    pub(super) fn new(registry: &Registry) -> Result<Self> {
        Ok(Self {
            waiting: int_gauge(
                registry,
                "audit_waiting_rows",
                "Audit rows that are waiting to be written.",
            )?,
            written: counter(
                registry,
                "audit_written_rows_total",
                "Audit rows that were written.",
            )?,
            lost: counter(
                registry,
                "audit_lost_rows_total",
                "Audit rows that were lost, because the queue was full while Postgres was unavailable, or because Postgres rejected them.",
            )?,
        })
    }

    /// Sets the number of waiting rows.
    pub fn waiting(&self, rows: usize) {
        self.waiting
            .set(signed(u64::try_from(rows).unwrap_or(u64::MAX)));
    }

    /// Counts rows that were written.
    pub fn written(&self, rows: u64) {
        self.written.inc_by(rows);
    }

    /// Counts rows that were lost.
    pub fn lost(&self, rows: u64) {
        self.lost.inc_by(rows);
    }
}
