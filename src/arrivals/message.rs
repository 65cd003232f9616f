//! Parses a message: an event notification of S3, the same in an SNS envelope, or an EventBridge event.
//!
//! Sources: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html>,
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html>,
//! <https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html>

use percent_encoding::percent_decode;
use serde::Deserialize;

/// An object that was created or removed. Which of the two it was is not recorded: the broker reads the
/// current state of the object from S3.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectChange {
    /// The bucket of the object.
    pub bucket: String,
    /// The decoded key of the object.
    pub key: String,
}

/// The content of a message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ParsedMessage {
    /// The objects that the message reports; empty if it reports something else, such as a change of
    /// tags.
    pub changes: Vec<ObjectChange>,
    /// Why some records of the message cannot be parsed; `None` if all were parsed.
    pub unreadable: Option<Unreadable>,
}

/// Why a message, or a record in it, cannot be parsed. It contains nothing of the message itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// It is not JSON, or JSON of an unknown structure.
    #[error("it is not an S3 event")]
    Shape,
    /// It is an event of another service.
    #[error("it is an EventBridge event of another service than S3")]
    AnotherSource,
    /// The decoded key is empty or not UTF-8.
    #[error("its object key is empty or not UTF-8")]
    Key,
}

/// The supported structures. They are distinguished by the members that only one of them has.
#[derive(Deserialize)]
#[serde(untagged)]
enum Body {
    S3 {
        /// Each record is parsed separately, so that one invalid record does not affect the others.
        #[serde(rename = "Records")]
        records: Vec<serde_json::Value>,
    },
    EventBridge {
        source: String,
        #[serde(rename = "detail-type")]
        detail_type: String,
        detail: serde_json::Value,
    },
    /// The test event that S3 sends when the notification is configured.
    Test {
        #[serde(rename = "Event")]
        _event: TestEvent,
    },
    Sns {
        #[serde(rename = "Type")]
        _type: Notification,
        #[serde(rename = "Message")]
        message: String,
    },
}

#[derive(Deserialize)]
enum TestEvent {
    #[serde(rename = "s3:TestEvent")]
    Test,
}

#[derive(Deserialize)]
enum Notification {
    Notification,
}

#[derive(Deserialize)]
struct RecordName {
    #[serde(rename = "eventName")]
    event_name: String,
}

#[derive(Deserialize)]
struct Record {
    s3: ObjectLocation,
}

#[derive(Deserialize)]
struct ObjectLocation {
    bucket: Bucket,
    object: Object,
}

#[derive(Deserialize)]
struct Bucket {
    name: String,
}

#[derive(Deserialize)]
struct Object {
    key: String,
}

/// Parses the body of a message.
///
/// # Errors
/// No part of the message can be parsed.
pub fn read(body: &str) -> Result<ParsedMessage, Unreadable> {
    match parse(body)? {
        Body::Sns { message, .. } => match parse(&message)? {
            // AWS never nests SNS envelopes.
            Body::Sns { .. } => Err(Unreadable::AnotherSource),
            inner => changes(inner),
        },
        outer => changes(outer),
    }
}

fn parse(text: &str) -> Result<Body, Unreadable> {
    serde_json::from_str(text).map_err(|_| Unreadable::Shape)
}

fn changes(body: Body) -> Result<ParsedMessage, Unreadable> {
    match body {
        Body::Test { .. } | Body::Sns { .. } => Ok(ParsedMessage::default()),
        Body::S3 { records } => parse_records(records),
        Body::EventBridge { source, .. } if source != "aws.s3" => Err(Unreadable::AnotherSource),
        Body::EventBridge {
            detail_type,
            detail,
            ..
        } => {
            if !matches!(&*detail_type, "Object Created" | "Object Deleted") {
                return Ok(ParsedMessage::default());
            }
            let location: ObjectLocation =
                serde_json::from_value(detail).map_err(|_| Unreadable::Shape)?;
            Ok(ParsedMessage {
                changes: vec![object_change(location.bucket, location.object.key)?],
                unreadable: None,
            })
        }
    }
}

fn parse_records(records: Vec<serde_json::Value>) -> Result<ParsedMessage, Unreadable> {
    let mut parsed = ParsedMessage::default();
    let mut any_readable = false;
    for record in records {
        match parse_record(record) {
            Ok(change) => {
                any_readable = true;
                parsed.changes.extend(change);
            }
            Err(reason) => parsed.unreadable = parsed.unreadable.or(Some(reason)),
        }
    }
    match parsed.unreadable {
        Some(reason) if !any_readable => Err(reason),
        _ => Ok(parsed),
    }
}

/// Returns the object of a record, if the record reports that an object was created or removed.
fn parse_record(record: serde_json::Value) -> Result<Option<ObjectChange>, Unreadable> {
    let name = RecordName::deserialize(&record).map_err(|_| Unreadable::Shape)?;
    // Other stores write the prefix `s3:`, which S3 omits.
    let event_name = name.event_name.trim_start_matches("s3:");
    let kind = event_name.split(':').next().unwrap_or_default();
    let changes = ["ObjectCreated", "ObjectRemoved", "LifecycleExpiration"];
    if !changes.contains(&kind) {
        return Ok(None);
    }
    let record = Record::deserialize(record).map_err(|_| Unreadable::Shape)?;
    let key = form_decoded(&record.s3.object.key)?;
    object_change(record.s3.bucket, key).map(Some)
}

fn object_change(bucket: Bucket, key: String) -> Result<ObjectChange, Unreadable> {
    if key.is_empty() {
        return Err(Unreadable::Key);
    }
    Ok(ObjectChange {
        bucket: bucket.name,
        key,
    })
}

/// Decodes a key. S3 encodes keys like form fields: a space is `+`, and `+` is `%2B`.
fn form_decoded(key: &str) -> Result<String, Unreadable> {
    let spaced = key.replace('+', " ");
    let decoded = percent_decode(spaced.as_bytes()).decode_utf8();
    decoded
        .map(std::borrow::Cow::into_owned)
        .map_err(|_| Unreadable::Key)
}
