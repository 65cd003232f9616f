//! PublishBatch: up to ten entries and 256 KiB in one call, with an outcome for each entry.
//!
//! A batch that SNS rejects because of its content is split in halves until the invalid entry is in a
//! call of its own, so that the other entries are published. A call that fails for any other reason
//! ends the round, and the remaining entries are not attempted. A lost response counts as a failure,
//! although SNS may have accepted the entries: they are sent again, under the same ids.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use aws_config::SdkConfig;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_sns::Client;
use aws_sdk_sns::operation::publish_batch::PublishBatchOutput;
use futures::StreamExt as _;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::entry::{Entry, batches};
use super::refusal::{self, Refusal};
use crate::store::outbox::OutboxEvent;
use crate::telemetry::metrics::{CallOutcome, Metrics};
use crate::telemetry::trace::{Scope, SpanKind, Tracer, linked_span};

/// The number of concurrent calls. The events of a round belong to different uploads, so they may be
/// published in any order.
const CONCURRENT_CALLS: usize = 4;
/// The longest time of a call to SNS, including its retries, whatever the settings allow: a stop waits
/// for the calls that have started.
const MAX_CALL_TIME: Duration = Duration::from_secs(12);
/// The default timeout for opening a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// An SNS topic.
#[derive(Clone)]
pub struct Topic {
    pub(super) client: Client,
    pub(super) arn: String,
    metrics: Arc<Metrics>,
    tracer: Option<Tracer>,
    /// Whether SNS has accepted an event. If so, the topic, its region and the permissions are correct.
    has_accepted: Arc<AtomicBool>,
}

/// An event and the outcome of its publication.
#[derive(Debug)]
pub struct Delivery {
    /// The id of the event.
    pub id: Uuid,
    /// The outcome.
    pub outcome: Outcome,
}

/// The outcome of the publication of an event. Reasons are written to the log and to the row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// SNS accepted the event.
    Published,
    /// SNS rejected this event, and may accept it later.
    Rejected(String),
    /// SNS rejected this event, and will reject it again.
    Undeliverable(String),
    /// The call failed, for a reason that is not specific to this event.
    CallFailed(String),
    /// The round ended before a call with this event was started.
    NotAttempted,
}

impl Outcome {
    /// The name of a failure, for a span; `None` if SNS accepted the event.
    const fn reason_code(&self) -> Option<&'static str> {
        match self {
            Self::Published => None,
            Self::Rejected(_) => Some("rejected"),
            Self::Undeliverable(_) => Some("undeliverable"),
            Self::CallFailed(_) => Some("call-failed"),
            Self::NotAttempted => Some("not-attempted"),
        }
    }
}

/// The conditions that end a round. Once one of the tokens is cancelled, no call is started.
#[derive(Debug)]
pub struct Limits<'a> {
    /// Cancelled when the lease of the events is lost.
    pub lease_lost: &'a CancellationToken,
    /// Cancelled when the process stops.
    pub stop: &'a CancellationToken,
}

/// The calls of one round, which end at a limit or at the first failure.
struct Calls<'a> {
    limits: &'a Limits<'a>,
    has_failed: AtomicBool,
}

impl Calls<'_> {
    fn may_continue(&self) -> bool {
        !self.has_failed.load(Ordering::Relaxed)
            && !self.limits.stop.is_cancelled()
            && !self.limits.lease_lost.is_cancelled()
    }
}

impl Topic {
    /// Creates a client that publishes to `arn`, with the endpoint, the credentials and the timeouts of
    /// `config`. Longer timeouts are reduced, so that a stop need not wait long for a call.
    pub fn new(config: &SdkConfig, arn: &str, metrics: Arc<Metrics>) -> Self {
        let limits = config.timeout_config();
        let total = limits.and_then(TimeoutConfig::operation_timeout);
        let attempt = limits.and_then(TimeoutConfig::operation_attempt_timeout);
        let bounded = TimeoutConfig::builder()
            .operation_timeout(total.map_or(MAX_CALL_TIME, |total| total.min(MAX_CALL_TIME)))
            .operation_attempt_timeout(
                attempt.map_or(MAX_CALL_TIME / 2, |attempt| attempt.min(MAX_CALL_TIME)),
            )
            .connect_timeout(
                limits
                    .and_then(TimeoutConfig::connect_timeout)
                    .unwrap_or(CONNECT_TIMEOUT),
            )
            .build();
        let config = aws_sdk_sns::config::Builder::from(config).timeout_config(bounded);
        Self {
            client: Client::from_conf(config.build()),
            arn: arn.to_owned(),
            metrics,
            tracer: None,
            has_accepted: Arc::default(),
        }
    }

    /// Sets what starts the spans of events.
    #[must_use]
    pub fn with_tracer(self, tracer: Option<Tracer>) -> Self {
        Self { tracer, ..self }
    }

    /// Publishes events of different uploads, in as few calls as SNS allows, until a limit is reached.
    /// The result contains one delivery for each event.
    pub async fn publish(&self, events: &[OutboxEvent], limits: &Limits<'_>) -> Vec<Delivery> {
        let fifo = self.arn.ends_with(".fifo");
        let mut deliveries = Vec::with_capacity(events.len());
        let mut entries = Vec::with_capacity(events.len());
        for event in events {
            match Entry::new(event, fifo, self.tracer.as_ref()) {
                Ok(entry) => entries.push(entry),
                Err(reason) => deliveries.push(Delivery {
                    id: event.id,
                    outcome: Outcome::Undeliverable(reason),
                }),
            }
        }
        let calls = Calls {
            limits,
            has_failed: AtomicBool::new(false),
        };
        let sent: Vec<_> = futures::stream::iter(batches(entries))
            .map(|batch| self.send(batch, &calls))
            .buffer_unordered(CONCURRENT_CALLS)
            .collect()
            .await;
        deliveries.extend(sent.into_iter().flatten());
        deliveries
    }

    /// Sends a batch. Splits it in halves if SNS rejects it because of its content.
    async fn send(&self, batch: Vec<Entry>, calls: &Calls<'_>) -> Vec<Delivery> {
        let mut deliveries = Vec::with_capacity(batch.len());
        let mut pending = vec![batch];
        while let Some(mut batch) = pending.pop() {
            if !calls.may_continue() {
                deliveries.extend(with_outcome(batch, &Outcome::NotAttempted));
                continue;
            }
            match self.call(&batch).await {
                Ok(output) => deliveries.extend(outcomes(batch, &output)),
                Err(Refusal::Message(_)) if batch.len() > 1 => {
                    let half = batch.split_off(batch.len() / 2);
                    pending.extend([half, batch]);
                }
                Err(Refusal::Message(reason)) => {
                    deliveries.extend(with_outcome(batch, &self.rejected_alone(reason)));
                }
                Err(Refusal::Service(reason)) => {
                    calls.has_failed.store(true, Ordering::Relaxed);
                    deliveries.extend(with_outcome(batch, &Outcome::CallFailed(reason)));
                }
            }
        }
        deliveries
    }

    /// The outcome of an entry that was rejected in a call of its own. SNS uses the same error codes
    /// for a wrong topic (one of another region, for example). So an entry is undeliverable only if SNS
    /// has accepted an event of this topic before.
    fn rejected_alone(&self, reason: String) -> Outcome {
        if self.has_accepted.load(Ordering::Relaxed) {
            Outcome::Undeliverable(reason)
        } else {
            Outcome::Rejected(reason)
        }
    }

    async fn call(&self, batch: &[Entry]) -> Result<PublishBatchOutput, Refusal> {
        let requests = batch.iter().map(|entry| entry.request.clone()).collect();
        let scopes: Vec<Scope> = (batch.iter())
            .filter_map(|entry| entry.span.own_scope())
            .collect();
        let mut span = linked_span("SNS PublishBatch", SpanKind::Client, scopes.iter());
        if span.is_recorded() {
            span.set_aws_call("SNS", "PublishBatch");
            span.set("messaging.destination.name", self.arn.clone());
            span.set_number("messaging.batch.message_count", batch.len());
        }
        let start = Instant::now();
        let result = self
            .client
            .publish_batch()
            .topic_arn(&self.arn)
            .set_publish_batch_request_entries(Some(requests))
            .send()
            .await
            .map_err(refusal::of_call);
        let outcome = match &result {
            Ok(_) => CallOutcome::Ok,
            Err(Refusal::Message(_)) => CallOutcome::Refused,
            Err(Refusal::Service(_)) => CallOutcome::Failed,
        };
        if result.is_err() {
            span.fail(outcome.label());
        }
        self.metrics.sns.called(outcome, start.elapsed());
        if let Ok(output) = &result
            && !output.successful().is_empty()
        {
            self.has_accepted.store(true, Ordering::Relaxed);
        }
        result
    }
}

fn with_outcome(batch: Vec<Entry>, outcome: &Outcome) -> Vec<Delivery> {
    let delivery = |entry| delivery(entry, outcome.clone());
    batch.into_iter().map(delivery).collect()
}

/// Ends the span of an entry.
fn delivery(mut entry: Entry, outcome: Outcome) -> Delivery {
    if let Some(reason) = outcome.reason_code() {
        entry.span.fail(reason);
    }
    Delivery {
        id: entry.id,
        outcome,
    }
}

/// Reads the outcome of each entry from the response to a call.
fn outcomes(batch: Vec<Entry>, output: &PublishBatchOutput) -> Vec<Delivery> {
    let outcome = |id: &str| {
        if output.successful().iter().any(|one| one.id() == Some(id)) {
            return Outcome::Published;
        }
        match output.failed().iter().find(|one| one.id() == id) {
            // An entry that is in neither list counts as rejected, so that it is sent again.
            None => Outcome::Rejected("the response of SNS does not mention it".to_owned()),
            Some(failed) => match refusal::of_entry(failed) {
                Refusal::Message(reason) => Outcome::Undeliverable(reason),
                Refusal::Service(reason) => Outcome::Rejected(reason),
            },
        }
    };
    let delivery = |entry: Entry| {
        let outcome = outcome(&entry.id.to_string());
        delivery(entry, outcome)
    };
    batch.into_iter().map(delivery).collect()
}
