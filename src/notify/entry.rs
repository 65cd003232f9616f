//! Converts events to entries of PublishBatch, and divides them into calls within SNS's limits.
//!
//! Source: <https://docs.aws.amazon.com/sns/latest/api/API_PublishBatch.html>

use aws_sdk_sns::types::{MessageAttributeValue, PublishBatchRequestEntry};
use uuid::Uuid;

use super::envelope::{Envelope, SCHEMA_VERSION};
use super::event_span::event_span;
use crate::store::outbox::OutboxEvent;
use crate::telemetry::trace::{Span, SpanKind, Tracer};

/// The largest number of entries in a call.
pub(super) const BATCH_ENTRIES: usize = 10;
/// The largest number of bytes in a call, and in a message, including attributes.
const BATCH_BYTES: usize = 262_144;

/// An event in the form that PublishBatch expects.
pub(super) struct Entry {
    /// The id of the event, which is also the id of the entry.
    pub(super) id: Uuid,
    pub(super) request: PublishBatchRequestEntry,
    pub(super) span: Span,
    bytes: usize,
}

impl Entry {
    /// Creates the entry of an event. `fifo` is whether the topic is a FIFO topic, and `tracer` starts
    /// the span of the event, which ends with the entry.
    ///
    /// # Errors
    /// The reason why SNS can never accept this event.
    pub(super) fn new(
        event: &OutboxEvent,
        fifo: bool,
        tracer: Option<&Tracer>,
    ) -> Result<Self, String> {
        let span = event_span(tracer, "publish", SpanKind::Producer, event);
        let traceparent = span.traceparent().or_else(|| event.traceparent.clone());
        let body =
            serde_json::to_string(&Envelope::of(event)).map_err(|cause| cause.to_string())?;
        let attributes = [
            ("type", &*event.kind),
            ("tenant", &event.tenant),
            ("content_type", event.text("content_type")),
            ("schema_version", SCHEMA_VERSION),
            ("traceparent", traceparent.as_deref().unwrap_or_default()),
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
            return Err(format!(
                "{bytes} bytes exceed the SNS limit of {BATCH_BYTES} bytes"
            ));
        }
        if fifo {
            request = request
                .message_group_id(event.upload_id.to_string())
                .message_deduplication_id(id);
        }
        Ok(Self {
            id: event.id,
            span,
            bytes,
            request: request.build().map_err(|cause| cause.to_string())?,
        })
    }
}

/// Divides entries into batches, in their order, within the limits of one call.
pub(super) fn batches(entries: Vec<Entry>) -> Vec<Vec<Entry>> {
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
