//! The JSON of events.

use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::domain;
use crate::http::openapi::{examples, schemas};
use crate::http::wire::Time;

/// An event of an upload.
#[derive(Serialize, ToSchema)]
pub struct Event {
    /// A UUIDv7; the notification has the same `id`.
    pub id: Uuid,
    /// The id of the upload.
    pub upload_id: Uuid,
    /// The number of the event within the upload, from 1.
    pub sequence: i32,
    /// The type of the event.
    #[serde(rename = "type")]
    #[schema(schema_with = schemas::event_type)]
    pub kind: String,
    /// When the event happened.
    #[schema(value_type = String, format = DateTime)]
    pub time: Time,
    /// The state of the upload at that time.
    #[schema(value_type = Object, additional_properties)]
    pub data: serde_json::Value,
    /// When SNS accepted the event; null if it is waiting, or is not sent.
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    pub published_at: Option<Time>,
    /// When the broker gave up sending the event, because SNS will never accept it; null otherwise.
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    pub undeliverable_at: Option<Time>,
}

impl From<&domain::event::Event> for Event {
    fn from(event: &domain::event::Event) -> Self {
        Self {
            id: event.id,
            upload_id: event.upload_id,
            sequence: event.sequence,
            kind: event.kind.clone(),
            time: event.at.into(),
            data: event.data.clone(),
            published_at: event.published_at.map(Into::into),
            undeliverable_at: event.undeliverable_at.map(Into::into),
        }
    }
}

/// An event on a page of the feed.
#[derive(Serialize, ToSchema)]
pub struct FeedEntry {
    /// The event.
    #[serde(flatten)]
    pub event: Event,
    /// Continues after this event: as `after`, or as `Last-Event-ID`. Opaque.
    pub cursor: String,
}

/// The example of an event.
pub fn example() -> Value {
    json!({
        "id": "01955114-5596-7b1a-8c54-0d6f3f0d7e21",
        "upload_id": examples::ID,
        "sequence": 1,
        "type": "dataset.uploaded",
        "time": "2025-03-01T10:00:07.123Z",
        "data": {"upload_id": examples::ID, "path": "/data/employees.csv", "status": "Uploaded"},
        "published_at": "2025-03-01T10:00:07.456Z",
        "undeliverable_at": null,
    })
}

/// The example of a cursor.
pub const EXAMPLE_CURSOR: &str = "eyJmIjp7ImMiOjEsIngiOjcyOX19";

/// The example of a live stream that was opened, then got an event and a comment.
pub fn stream_example() -> String {
    format!(
        "retry: 2000\nid: {EXAMPLE_CURSOR}\n\nid: {EXAMPLE_CURSOR}\ndata: {}\n\n: open\n\n",
        example()
    )
}
