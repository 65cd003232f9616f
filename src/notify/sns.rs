//! PublishBatch: up to ten entries and 256 KiB in one call, each with an outcome of its own.
//!
//! A call that SNS refuses because of something in it is halved until the entry at fault is alone,
//! so that the others get through. A call that fails for any other reason ends the round: what has
//! not been sent by then is not tried. An answer that got lost on its way counts as a failure,
//! though SNS may have taken the entries: they are sent again, under the same ids.

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
use super::relay::CALL;
use crate::store::outbox::OutboxEvent;
use crate::telemetry::metrics::{CallOutcome, Metrics};

/// Calls at the same time. The events of a round are of different uploads: their order is free.
const CALLS: usize = 4;

/// To open a connection, where the settings say nothing.
const CONNECT: Duration = Duration::from_secs(2);

/// One topic.
#[derive(Clone)]
pub struct Topic {
    pub(super) client: Client,
    pub(super) arn: String,
    metrics: Arc<Metrics>,
    /// SNS has taken an event: the topic, its region and our rights are as they should be.
    proven: Arc<AtomicBool>,
}

/// What became of one event.
#[derive(Debug)]
pub struct Delivery {
    /// The event.
    pub id: Uuid,
    /// What became of it.
    pub fate: Fate,
}

/// What became of an event. Reasons are for the log and the row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// SNS took it.
    Taken,
    /// SNS did not take this one, and may later.
    Refused(String),
    /// SNS will never take this one.
    Undeliverable(String),
    /// SNS took nothing.
    Unreached(String),
    /// The round ended before.
    Untried,
}

/// What ends a round: once one of them is cancelled, no call begins.
#[derive(Debug)]
pub struct Bounds<'a> {
    /// The lease of the events is lost.
    pub lost: &'a CancellationToken,
    /// The process stops.
    pub stop: &'a CancellationToken,
}

/// A round of calls; ended by its bounds, or by the first failure.
struct Round<'a> {
    bounds: &'a Bounds<'a>,
    failed: AtomicBool,
}

impl Round<'_> {
    fn goes_on(&self) -> bool {
        !self.failed.load(Ordering::Relaxed)
            && !self.bounds.stop.is_cancelled()
            && !self.bounds.lost.is_cancelled()
    }
}

impl Topic {
    /// Publishes to `arn` through the endpoint, with the credentials and within the time limits of
    /// `config`, and in any case within what a stop leaves for a call.
    pub fn new(config: &SdkConfig, arn: &str, metrics: Arc<Metrics>) -> Self {
        let limits = config.timeout_config();
        let total = limits.and_then(TimeoutConfig::operation_timeout);
        let attempt = limits.and_then(TimeoutConfig::operation_attempt_timeout);
        let bounded = TimeoutConfig::builder()
            .operation_timeout(total.map_or(CALL, |total| total.min(CALL)))
            .operation_attempt_timeout(attempt.map_or(CALL / 2, |attempt| attempt.min(CALL)))
            .connect_timeout(
                limits
                    .and_then(TimeoutConfig::connect_timeout)
                    .unwrap_or(CONNECT),
            )
            .build();
        let config = aws_sdk_sns::config::Builder::from(config).timeout_config(bounded);
        Self {
            client: Client::from_conf(config.build()),
            arn: arn.to_owned(),
            metrics,
            proven: Arc::default(),
        }
    }

    /// Publishes events of different uploads, in as few calls as SNS allows, within `bounds`.
    /// Every event has a delivery in the answer.
    pub async fn publish(&self, events: &[OutboxEvent], bounds: &Bounds<'_>) -> Vec<Delivery> {
        let fifo = self.arn.ends_with(".fifo");
        let mut deliveries = Vec::with_capacity(events.len());
        let mut entries = Vec::with_capacity(events.len());
        for event in events {
            match Entry::of(event, fifo) {
                Ok(entry) => entries.push(entry),
                Err(reason) => deliveries.push(Delivery {
                    id: event.id,
                    fate: Fate::Undeliverable(reason),
                }),
            }
        }
        let round = Round {
            bounds,
            failed: AtomicBool::new(false),
        };
        let sent: Vec<_> = futures::stream::iter(batches(entries))
            .map(|batch| self.send(batch, &round))
            .buffer_unordered(CALLS)
            .collect()
            .await;
        deliveries.extend(sent.into_iter().flatten());
        deliveries
    }

    /// Sends a batch, in halves where SNS refuses the whole because of its content.
    async fn send(&self, batch: Vec<Entry>, round: &Round<'_>) -> Vec<Delivery> {
        let mut deliveries = Vec::with_capacity(batch.len());
        let mut open = vec![batch];
        while let Some(mut batch) = open.pop() {
            if !round.goes_on() {
                deliveries.extend(all(&batch, &Fate::Untried));
                continue;
            }
            match self.call(&batch).await {
                Ok(output) => deliveries.extend(read(&batch, &output)),
                Err(Refusal::Message(_)) if batch.len() > 1 => {
                    let half = batch.split_off(batch.len() / 2);
                    open.extend([half, batch]);
                }
                Err(Refusal::Message(reason)) => {
                    deliveries.extend(all(&batch, &self.alone(reason)));
                }
                Err(Refusal::Service(reason)) => {
                    round.failed.store(true, Ordering::Relaxed);
                    deliveries.extend(all(&batch, &Fate::Unreached(reason)));
                }
            }
        }
        deliveries
    }

    /// The fate of an entry that was refused in a call of its own. SNS has the same codes for a
    /// topic that is not right (another region's, say): as long as it has taken nothing, the entry
    /// is not to blame.
    fn alone(&self, reason: String) -> Fate {
        if self.proven.load(Ordering::Relaxed) {
            Fate::Undeliverable(reason)
        } else {
            Fate::Refused(reason)
        }
    }

    async fn call(&self, batch: &[Entry]) -> Result<PublishBatchOutput, Refusal> {
        let requests = batch.iter().map(|entry| entry.request.clone()).collect();
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
        self.metrics.sns.called(outcome, start.elapsed());
        if let Ok(output) = &result
            && !output.successful().is_empty()
        {
            self.proven.store(true, Ordering::Relaxed);
        }
        result
    }
}

fn all(batch: &[Entry], fate: &Fate) -> Vec<Delivery> {
    let delivery = |entry: &Entry| Delivery {
        id: entry.id,
        fate: fate.clone(),
    };
    batch.iter().map(delivery).collect()
}

/// The fates of entries, from the answer to their call.
fn read(batch: &[Entry], output: &PublishBatchOutput) -> Vec<Delivery> {
    let fate = |id: &str| {
        if output.successful().iter().any(|one| one.id() == Some(id)) {
            return Fate::Taken;
        }
        match output.failed().iter().find(|one| one.id() == id) {
            // An entry that is in neither list was not taken: it is sent again.
            None => Fate::Refused("SNS did not say what became of it".to_owned()),
            Some(refused) => match refusal::of_entry(refused) {
                Refusal::Message(reason) => Fate::Undeliverable(reason),
                Refusal::Service(reason) => Fate::Refused(reason),
            },
        }
    };
    let delivery = |entry: &Entry| Delivery {
        id: entry.id,
        fate: fate(&entry.id.to_string()),
    };
    batch.iter().map(delivery).collect()
}
