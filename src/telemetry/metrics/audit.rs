//! The audit, on its way to Postgres.

use prometheus::{IntCounter, IntGauge, Registry, Result};

use super::register::{counter, int_gauge, signed};

/// The audit, on its way to Postgres.
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
                "Rows of the audit that wait to be written.",
            )?,
            written: counter(
                registry,
                "audit_written_rows_total",
                "Rows of the audit that were written.",
            )?,
            lost: counter(
                registry,
                "audit_lost_rows_total",
                "Rows of the audit that were lost: there was no room for more while Postgres was away, or it refused them.",
            )?,
        })
    }

    /// Tells how many rows wait.
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
