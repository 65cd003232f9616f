//! Sends ended spans to the receiver.

use std::sync::Arc;
use std::time::Duration;

use opentelemetry_sdk::trace::{SdkTracerProvider, SpanData};
use tokio::sync::mpsc::Receiver;
use tokio_util::sync::CancellationToken;

use super::send::Sender;
use crate::telemetry::Metrics;
use crate::telemetry::log::scrub::scrub;
use crate::telemetry::metrics::SpanOutcome;
use crate::telemetry::outgoing::ends_in_time;

/// How long spans are collected before they are sent.
const COLLECT_TIME: Duration = Duration::from_secs(1);
/// The largest number of spans of one export.
const MAX_BATCH: usize = 512;

/// Sends ended spans while [`run`](Self::run) is awaited.
#[derive(Debug)]
pub struct Exporter {
    /// Spans are recorded as long as it exists.
    _provider: SdkTracerProvider,
    spans: Receiver<SpanData>,
    sender: Sender,
    metrics: Arc<Metrics>,
}

impl Exporter {
    pub(super) fn new(
        provider: SdkTracerProvider,
        spans: Receiver<SpanData>,
        sender: Sender,
        metrics: Arc<Metrics>,
    ) -> Self {
        Self {
            _provider: provider,
            spans,
            sender,
            metrics,
        }
    }

    /// Sends spans until `over` is cancelled, then those that are left, for at most two seconds.
    pub async fn run(mut self, over: CancellationToken) {
        if !ends_in_time(self.export_until(&over), &over).await {
            let waiting = self.spans.len();
            log::warn!(
                "traces: the receiver did not take the last spans in time; {waiting} more wait"
            );
        }
    }

    /// Returns once `over` is cancelled and nothing is left.
    async fn export_until(&mut self, over: &CancellationToken) {
        let mut is_failing = false;
        loop {
            let mut batch = Vec::new();
            tokio::select! {
                _ = self.spans.recv_many(&mut batch, MAX_BATCH) => {}
                () = over.cancelled() => {
                    while batch.len() < MAX_BATCH && let Ok(span) = self.spans.try_recv() {
                        batch.push(span);
                    }
                }
            }
            if batch.is_empty() {
                return;
            }
            self.collect(&mut batch, over).await;
            let spans = u64::try_from(batch.len()).unwrap_or(u64::MAX);
            let rejected = match self.sender.send(batch).await {
                Ok(rejected) => {
                    if is_failing {
                        log::info!("traces: the receiver accepts spans again");
                    }
                    is_failing = false;
                    rejected.min(spans)
                }
                Err(reason) => {
                    // Every export of a long outage would be a line.
                    if !is_failing {
                        log::warn!("traces: spans cannot be sent: {}", scrub(&reason));
                    }
                    is_failing = true;
                    spans
                }
            };
            let traces = &self.metrics.traces;
            traces.ended(SpanOutcome::Failed, rejected);
            traces.ended(SpanOutcome::Exported, spans - rejected);
        }
    }

    /// Waits for more spans, so that there are fewer exports.
    async fn collect(&mut self, batch: &mut Vec<SpanData>, over: &CancellationToken) {
        let collect = async {
            while batch.len() < MAX_BATCH {
                let rest = MAX_BATCH - batch.len();
                if self.spans.recv_many(batch, rest).await == 0 {
                    return;
                }
            }
        };
        tokio::select! {
            () = collect => {}
            () = tokio::time::sleep(COLLECT_TIME) => {}
            () = over.cancelled() => {}
        }
    }
}
