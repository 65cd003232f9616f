//! Metrics of traces.

use prometheus::{IntCounterVec, Registry, Result};

use super::register::counters_from_zero;

/// What became of a span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpanOutcome {
    /// The receiver accepted it.
    Exported,
    /// It did not fit into the queue.
    Dropped,
    /// The receiver did not accept it.
    Failed,
}

impl SpanOutcome {
    const ALL: [Self; 3] = [Self::Exported, Self::Dropped, Self::Failed];

    fn label(self) -> &'static str {
        match self {
            Self::Exported => "exported",
            Self::Dropped => "dropped",
            Self::Failed => "failed",
        }
    }
}

/// Spans of traces.
#[derive(Debug)]
pub struct Traces(IntCounterVec);

impl Traces {
    pub(super) fn new(registry: &Registry) -> Result<Self> {
        let outcomes = SpanOutcome::ALL.map(SpanOutcome::label);
        counters_from_zero(
            registry,
            "trace_spans_total",
            "Spans of traces that ended, by outcome.",
            "outcome",
            outcomes,
        )
        .map(Self)
    }

    /// Counts spans.
    pub fn ended(&self, outcome: SpanOutcome, spans: u64) {
        let counter = self.0.with_label_values(&[outcome.label()]);
        counter.inc_by(spans);
    }
}
