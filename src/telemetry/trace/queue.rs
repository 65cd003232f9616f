//! The queue of ended spans.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use opentelemetry::Context;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{Span, SpanData, SpanProcessor};
use tokio::sync::mpsc::{Receiver, Sender, channel};

use crate::telemetry::Metrics;
use crate::telemetry::metrics::SpanOutcome;

/// The largest number of spans that wait.
const MAX_WAITING: usize = 2048;

/// Puts ended spans into the queue. It never waits.
pub(super) struct Queue {
    sender: Sender<SpanData>,
    metrics: Arc<Metrics>,
}

/// Creates the queue, and its other end.
pub(super) fn new(metrics: Arc<Metrics>) -> (Queue, Receiver<SpanData>) {
    let (sender, receiver) = channel(MAX_WAITING);
    (Queue { sender, metrics }, receiver)
}

impl fmt::Debug for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queue").finish_non_exhaustive()
    }
}

impl SpanProcessor for Queue {
    fn on_start(&self, _span: &mut Span, _context: &Context) {}

    fn on_end(&self, span: SpanData) {
        if span.span_context.is_sampled() && self.sender.try_send(span).is_err() {
            self.metrics.traces.ended(SpanOutcome::Dropped, 1);
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _timeout: Duration) -> OTelSdkResult {
        Ok(())
    }
}
