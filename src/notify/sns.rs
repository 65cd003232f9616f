//! PublishBatch: up to ten entries and 256 KiB in one call, each with an outcome of its own.
//!
//! Source: <https://docs.aws.amazon.com/sns/latest/api/API_PublishBatch.html>

use std::sync::Arc;
use std::time::Instant;

use aws_config::SdkConfig;
use aws_sdk_sns::Client;
use aws_sdk_sns::types::{MessageAttributeValue, PublishBatchRequestEntry};
use uuid::Uuid;

use super::envelope::{Envelope, SCHEMA_VERSION};
use crate::store::outbox::Outgoing;
use crate::telemetry::metrics::{CallOutcome, Metrics};

/// Entries in a call.
pub const BATCH_ENTRIES: usize = 10;
/// Bytes in a call, attributes included.
pub const BATCH_BYTES: usize = 262_144;

/// One topic.
#[derive(Clone)]
pub struct Topic {
    client: Client,
    arn: String,
    metrics: Arc<Metrics>,
}

/// What became of one event.
#[derive(Debug)]
pub struct Delivery {
    /// The event.
    pub id: Uuid,
    /// Nothing where SNS took it; else why not, for the log and the row.
    pub error: Option<String>,
}

/// An event, ready to send.
struct Entry {
    id: Uuid,
    bytes: usize,
    request: PublishBatchRequestEntry,
}

impl Topic {
    /// Publishes to `arn` through the endpoint, with the credentials and within the time limits of
    /// `config`.
    pub fn new(config: &SdkConfig, arn: &str, metrics: Arc<Metrics>) -> Self {
        Self {
            client: Client::new(config),
            arn: arn.to_owned(),
            metrics,
        }
    }

    /// Publishes events in their order, in as few calls as SNS allows. Every event has a delivery
    /// in the answer; a call that fails as a whole fails each of its entries.
    pub async fn publish(&self, events: &[Outgoing]) -> Vec<Delivery> {
        let mut deliveries = Vec::with_capacity(events.len());
        let mut entries = Vec::with_capacity(events.len());
        for event in events {
            match self.entry(event) {
                Ok(entry) => entries.push(entry),
                Err(error) => deliveries.push(Delivery {
                    id: event.id,
                    error: Some(error),
                }),
            }
        }
        for batch in batches(entries) {
            deliveries.extend(self.send(batch).await);
        }
        deliveries
    }

    async fn send(&self, batch: Vec<Entry>) -> Vec<Delivery> {
        let ids: Vec<_> = batch.iter().map(|entry| entry.id).collect();
        let requests = batch.into_iter().map(|entry| entry.request).collect();
        let start = Instant::now();
        let result = self
            .client
            .publish_batch()
            .topic_arn(&self.arn)
            .set_publish_batch_request_entries(Some(requests))
            .send()
            .await;
        let outcome = match &result {
            Ok(_) => CallOutcome::Ok,
            Err(_) => CallOutcome::Failed,
        };
        self.metrics.sns.called(outcome, start.elapsed());
        let output = match result {
            Ok(output) => output,
            Err(cause) => {
                let reason = aws_sdk_sns::error::DisplayErrorContext(cause).to_string();
                return (ids.into_iter())
                    .map(|id| Delivery {
                        id,
                        error: Some(reason.clone()),
                    })
                    .collect();
            }
        };
        // An entry that is in neither list was not taken: it is sent again.
        ids.into_iter()
            .map(|id| {
                let name = id.to_string();
                let taken = output
                    .successful()
                    .iter()
                    .any(|one| one.id() == Some(&*name));
                let refused = output.failed().iter().find(|one| one.id() == name);
                let reason = || match refused {
                    Some(entry) => format!(
                        "{}: {}",
                        entry.code(),
                        entry.message().unwrap_or("no reason given")
                    ),
                    None => "SNS did not say what became of it".to_owned(),
                };
                Delivery {
                    id,
                    error: (!taken).then(reason),
                }
            })
            .collect()
    }

    fn entry(&self, event: &Outgoing) -> Result<Entry, String> {
        let body =
            serde_json::to_string(&Envelope::of(event)).map_err(|cause| cause.to_string())?;
        let attributes = [
            ("type", &*event.kind),
            ("tenant", &event.tenant),
            ("content_type", event.text("content_type")),
            ("schema_version", SCHEMA_VERSION),
        ];
        let mut bytes = body.len();
        let id = event.id.to_string();
        let mut request = PublishBatchRequestEntry::builder().id(&id).message(body);
        for (name, value) in attributes
            .into_iter()
            .filter(|(_, value)| !value.is_empty())
        {
            let kind = "String";
            bytes += name.len() + kind.len() + value.len();
            let value = MessageAttributeValue::builder()
                .data_type(kind)
                .string_value(value)
                .build()
                .map_err(|cause| cause.to_string())?;
            request = request.message_attributes(name, value);
        }
        if bytes > BATCH_BYTES {
            return Err(format!("{bytes} bytes are more than SNS takes"));
        }
        if self.arn.ends_with(".fifo") {
            request = request
                .message_group_id(event.upload_id.to_string())
                .message_deduplication_id(id);
        }
        Ok(Entry {
            id: event.id,
            bytes,
            request: request.build().map_err(|cause| cause.to_string())?,
        })
    }
}

/// Cuts entries into calls, in their order, within SNS's limits.
fn batches(entries: Vec<Entry>) -> Vec<Vec<Entry>> {
    let mut all: Vec<Vec<Entry>> = Vec::new();
    let mut bytes = 0;
    for entry in entries {
        match all.last_mut() {
            Some(last) if last.len() < BATCH_ENTRIES && bytes + entry.bytes <= BATCH_BYTES => {
                bytes += entry.bytes;
                last.push(entry);
            }
            _ => {
                bytes = entry.bytes;
                all.push(vec![entry]);
            }
        }
    }
    all
}
