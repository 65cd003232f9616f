//! What a message tells: S3's own JSON, the same in an envelope of SNS, or an event of EventBridge.
//!
//! Sources: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html>,
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html>,
//! <https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html>

use percent_encoding::percent_decode;
use serde::Deserialize;

/// An object that was made or removed. Which of the two is not told: the object itself is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// In which bucket.
    pub bucket: String,
    /// The key as it is, not encoded.
    pub key: String,
}

/// What a message says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contents {
    /// The objects that it is about; none where it is about something else, such as tags.
    pub changes: Vec<Change>,
    /// Why some of its records cannot be read; `None` where all can.
    pub unreadable: Option<Unreadable>,
}

/// Why a message, or a record in it, cannot be read. Says nothing of its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// It is not JSON, or JSON of another shape.
    #[error("it is not an event of S3")]
    Shape,
    /// It is an event of another service.
    #[error("it is an event of EventBridge, but not one of S3")]
    AnotherSource,
    /// The key is empty, or not UTF-8 once it is decoded.
    #[error("its key is no key")]
    Key,
}

/// Every shape that is known, told apart by the members that only it has.
#[derive(Deserialize)]
#[serde(untagged)]
enum Body {
    S3 {
        /// Each is read on its own: one that cannot be read says nothing of the others.
        #[serde(rename = "Records")]
        records: Vec<serde_json::Value>,
    },
    EventBridge {
        source: String,
        #[serde(rename = "detail-type")]
        detail_type: String,
        detail: serde_json::Value,
    },
    /// S3 sends one when the notification is set up.
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
struct Named {
    #[serde(rename = "eventName")]
    event_name: String,
}

#[derive(Deserialize)]
struct Record {
    s3: Place,
}

#[derive(Deserialize)]
struct Place {
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

/// Reads a message.
///
/// # Errors
/// Nothing of it can be read.
pub fn read(body: &str) -> Result<Contents, Unreadable> {
    match parse(body)? {
        Body::Sns { message, .. } => match parse(&message)? {
            // SNS in SNS is nothing that AWS makes.
            Body::Sns { .. } => Err(Unreadable::AnotherSource),
            inner => changes(inner),
        },
        outer => changes(outer),
    }
}

fn parse(text: &str) -> Result<Body, Unreadable> {
    serde_json::from_str(text).map_err(|_| Unreadable::Shape)
}

fn changes(body: Body) -> Result<Contents, Unreadable> {
    match body {
        Body::Test { .. } | Body::Sns { .. } => Ok(Contents::default()),
        Body::S3 { records } => each(records),
        Body::EventBridge { source, .. } if source != "aws.s3" => Err(Unreadable::AnotherSource),
        Body::EventBridge {
            detail_type,
            detail,
            ..
        } => {
            if !matches!(&*detail_type, "Object Created" | "Object Deleted") {
                return Ok(Contents::default());
            }
            let place: Place = serde_json::from_value(detail).map_err(|_| Unreadable::Shape)?;
            Ok(Contents {
                changes: vec![change(place.bucket, place.object.key)?],
                unreadable: None,
            })
        }
    }
}

fn each(records: Vec<serde_json::Value>) -> Result<Contents, Unreadable> {
    let mut contents = Contents::default();
    let mut any_readable = false;
    for one in records {
        match record(one) {
            Ok(found) => {
                any_readable = true;
                contents.changes.extend(found);
            }
            Err(reason) => contents.unreadable = contents.unreadable.or(Some(reason)),
        }
    }
    match contents.unreadable {
        Some(reason) if !any_readable => Err(reason),
        _ => Ok(contents),
    }
}

/// The object that a record is about, if it is about one that was made or removed.
fn record(record: serde_json::Value) -> Result<Option<Change>, Unreadable> {
    let named = Named::deserialize(&record).map_err(|_| Unreadable::Shape)?;
    // Clones write the `s3:` that S3 leaves out.
    let name = named.event_name.trim_start_matches("s3:");
    let kind = name.split(':').next().unwrap_or_default();
    let changes = ["ObjectCreated", "ObjectRemoved", "LifecycleExpiration"];
    if !changes.contains(&kind) {
        return Ok(None);
    }
    let record = Record::deserialize(record).map_err(|_| Unreadable::Shape)?;
    let key = form_decoded(&record.s3.object.key)?;
    change(record.s3.bucket, key).map(Some)
}

fn change(bucket: Bucket, key: String) -> Result<Change, Unreadable> {
    if key.is_empty() {
        return Err(Unreadable::Key);
    }
    Ok(Change {
        bucket: bucket.name,
        key,
    })
}

/// Keys are encoded like a form's fields: a space is `+`, and `+` is `%2B`.
fn form_decoded(key: &str) -> Result<String, Unreadable> {
    let spaced = key.replace('+', " ");
    let decoded = percent_decode(spaced.as_bytes()).decode_utf8();
    decoded
        .map(std::borrow::Cow::into_owned)
        .map_err(|_| Unreadable::Key)
}
