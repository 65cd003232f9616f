//! The envelope of a notification: CloudEvents 1.0 in JSON.
//!
//! Sources: <https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md> and,
//! for `traceparent`, the extension
//! <https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/extensions/distributed-tracing.md>

use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use crate::domain::event::timestamp;
pub use crate::domain::event_schema::SCHEMA_VERSION;
use crate::store::outbox::OutboxEvent;

/// The notification that subscribers receive, with the members in the documented order.
#[derive(Debug, Serialize)]
pub struct Envelope<'a> {
    specversion: &'static str,
    id: Uuid,
    source: &'static str,
    r#type: &'a str,
    subject: &'a str,
    time: String,
    datacontenttype: &'static str,
    sequence: String,
    tenant: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    traceparent: Option<&'a str>,
    data: &'a Value,
}

impl<'a> Envelope<'a> {
    /// Creates the envelope of an event.
    pub fn of(event: &'a OutboxEvent) -> Self {
        Self {
            specversion: "1.0",
            id: event.id,
            source: "upload-broker",
            r#type: &event.kind,
            subject: event.text("path"),
            time: timestamp(event.at),
            datacontenttype: "application/json",
            sequence: event.sequence.to_string(),
            tenant: &event.tenant,
            traceparent: event.traceparent.as_deref(),
            data: &event.data,
        }
    }
}

impl OutboxEvent {
    /// Returns a string member of `data`; an empty string if there is no such member.
    pub(super) fn text(&self, name: &str) -> &str {
        self.data
            .get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
    }
}
