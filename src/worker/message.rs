//! Parses a message of a queue that is subscribed to the topic: an event of the broker, with or
//! without the envelope of SNS.

use serde::Deserialize;
use uuid::Uuid;

/// The members of an event that a worker needs.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub(super) struct Event {
    /// The tenant.
    pub(super) tenant: String,
    /// What the event reports.
    pub(super) data: EventData,
}

/// The data of an event.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub(super) struct EventData {
    /// The upload.
    pub(super) upload_id: Uuid,
}

#[derive(Deserialize)]
struct Envelope {
    #[serde(rename = "Message")]
    message: String,
}

/// Returns the event of a message; `None` if it is none of the broker.
pub(super) fn parse(body: &str) -> Option<Event> {
    if let Ok(event) = serde_json::from_str(body) {
        return Some(event);
    }
    let envelope: Envelope = serde_json::from_str(body).ok()?;
    serde_json::from_str(&envelope.message).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn event_is_found_with_and_without_envelope() {
        let event = json!({"specversion": "1.0", "type": "dataset.uploaded", "tenant": "acme",
            "data": {"upload_id": Uuid::max(), "path": "/a"}});
        let wrapped = json!({"Type": "Notification", "Message": event.to_string()});
        for body in [event.to_string(), wrapped.to_string()] {
            let event = parse(&body).expect("an event");
            assert_eq!(
                (&*event.tenant, event.data.upload_id),
                ("acme", Uuid::max())
            );
        }
    }

    #[test]
    fn anything_else_is_no_event() {
        for body in [
            "",
            "{}",
            "[]",
            "null",
            "{\"Message\":\"hello\"}",
            "{\"tenant\":\"a\"}",
        ] {
            assert_eq!(parse(body), None, "{body}");
        }
    }
}
