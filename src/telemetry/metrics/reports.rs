//! Metrics of reports of faults.

use prometheus::{IntCounterVec, Registry, Result};

use super::register::counters_from_zero;

/// What became of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReportOutcome {
    /// Sentry accepted it.
    Sent,
    /// There were too many reports.
    Dropped,
    /// Sentry did not accept it.
    Failed,
}

impl ReportOutcome {
    const ALL: [Self; 3] = [Self::Sent, Self::Dropped, Self::Failed];

    fn label(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Dropped => "dropped",
            Self::Failed => "failed",
        }
    }
}

/// Reports of faults.
#[derive(Debug)]
pub struct Reports(IntCounterVec);

impl Reports {
    pub(super) fn new(registry: &Registry) -> Result<Self> {
        let outcomes = ReportOutcome::ALL.map(ReportOutcome::label);
        counters_from_zero(
            registry,
            "error_reports_total",
            "Reports of internal errors and panics for Sentry, by outcome.",
            "outcome",
            outcomes,
        )
        .map(Self)
    }

    /// Counts a report.
    pub fn ended(&self, outcome: ReportOutcome) {
        self.0.with_label_values(&[outcome.label()]).inc();
    }
}
