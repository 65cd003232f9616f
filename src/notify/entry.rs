//! Events as entries of PublishBatch, and how many of them fit into a call.
//!
//! Source: <https://docs.aws.amazon.com/sns/latest/api/API_PublishBatch.html>

use aws_sdk_sns::types::{MessageAttributeValue, PublishBatchRequestEntry};
use uuid::Uuid;

use super::envelope::{Envelope, SCHEMA_VERSION};
use crate::store::outbox::OutboxEvent;

/// Entries in a call.
pub(super) const BATCH_ENTRIES: usize = 10;
/// Bytes in a call, and in a message, attributes included.
const BATCH_BYTES: usize = 262_144;

/// An event, ready to send.
pub(super) struct Entry {
    /// The event's id, and the entry's name.
    pub(super) id: Uuid,
    pub(super) request: PublishBatchRequestEntry,
    bytes: usize,
}

impl Entry {
    /// The error says why no such entry can be sent, now or ever.
    pub(super) fn of(event: &OutboxEvent, fifo: bool) -> Result<Self, String> {
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
        if fifo {
            request = request
                .message_group_id(event.upload_id.to_string())
                .message_deduplication_id(id);
        }
        Ok(Self {
            id: event.id,
            bytes,
            request: request.build().map_err(|cause| cause.to_string())?,
        })
    }
}

/// Cuts entries into calls, in their order, within SNS's limits.
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
