//! Parses a message of a queue that is subscribed to topics: an event of the broker, or the notification
//! of the end of a run of Textract, with or without the envelope of SNS.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Message {
    Event(Event),
    DetectionEnd(DetectionEnd),
}

/// The members of a notification of Textract that a worker needs.
///
/// Source: <https://docs.aws.amazon.com/textract/latest/dg/async-notification-payload.html>
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub(super) struct DetectionEnd {
    /// The run.
    #[serde(rename = "JobId")]
    pub(super) run: String,
    /// The job of the broker.
    #[serde(rename = "JobTag")]
    pub(super) job: Uuid,
}

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

/// Parses the body of a message; `None` if it is none of these.
pub(super) fn parse(body: &str) -> Option<Message> {
    let event = parse_as(body).map(Message::Event);
    event.or_else(|| parse_as(body).map(Message::DetectionEnd))
}

fn parse_as<T: DeserializeOwned>(body: &str) -> Option<T> {
    if let Ok(message) = serde_json::from_str(body) {
        return Some(message);
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
            let Some(Message::Event(event)) = parse(&body) else {
                panic!("{body}");
            };
            assert_eq!(
                (&*event.tenant, event.data.upload_id),
                ("acme", Uuid::max())
            );
        }
    }

    #[test]
    fn end_of_a_run_is_found_with_and_without_envelope() {
        let end = json!({"JobId": "run-1", "Status": "SUCCEEDED", "API": "StartDocumentTextDetection",
            "JobTag": Uuid::max(), "Timestamp": 1_700_000_000_000_u64,
            "DocumentLocation": {"S3ObjectName": "a.pdf", "S3Bucket": "b"}});
        let wrapped = json!({"Type": "Notification", "Message": end.to_string()});
        for body in [end.to_string(), wrapped.to_string()] {
            let (run, job) = ("run-1".to_owned(), Uuid::max());
            let expected = Message::DetectionEnd(DetectionEnd { run, job });
            assert_eq!(parse(&body), Some(expected));
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
            "{\"JobId\":\"a\",\"JobTag\":\"b\"}",
        ] {
            assert_eq!(parse(body), None, "{body}");
        }
    }
}
