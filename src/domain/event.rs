//! Events: one for every arrow that an upload took, and for every change that was noticed of a
//! proven object; numbered per upload.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::status::Transition;
use super::upload::Upload;

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum EventType {
    /// Proven; the one that SNS hears of.
    #[serde(rename = "dataset.uploaded")]
    Uploaded,
    /// What came is not what was declared.
    #[serde(rename = "upload.failed")]
    Failed,
    /// Nothing came in time.
    #[serde(rename = "upload.expired")]
    Expired,
    /// The client took the promise back.
    #[serde(rename = "upload.cancelled")]
    Cancelled,
    /// Its object is being removed.
    #[serde(rename = "dataset.deleting")]
    Deleting,
    /// Its object is gone.
    #[serde(rename = "dataset.deleted")]
    Deleted,
    /// A later upload took its path.
    #[serde(rename = "dataset.superseded")]
    Superseded,
    /// Its object is no longer the proven one.
    #[serde(rename = "dataset.drifted")]
    Drifted,
    /// The proven object stands there again.
    #[serde(rename = "dataset.restored")]
    Restored,
}

impl EventType {
    /// The event that an arrow leaves behind.
    pub const fn of(transition: Transition) -> Self {
        match transition {
            Transition::Acknowledge => Self::Uploaded,
            Transition::Fail => Self::Failed,
            Transition::Expire => Self::Expired,
            Transition::Cancel => Self::Cancelled,
            Transition::StartDelete => Self::Deleting,
            Transition::FinishDelete => Self::Deleted,
            Transition::Supersede => Self::Superseded,
        }
    }

    /// The name, as it stands in JSON and in Postgres.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Uploaded => "dataset.uploaded",
            Self::Failed => "upload.failed",
            Self::Expired => "upload.expired",
            Self::Cancelled => "upload.cancelled",
            Self::Deleting => "dataset.deleting",
            Self::Deleted => "dataset.deleted",
            Self::Superseded => "dataset.superseded",
            Self::Drifted => "dataset.drifted",
            Self::Restored => "dataset.restored",
        }
    }

    /// Whether downstream systems are told.
    pub const fn is_notified(self) -> bool {
        matches!(self, Self::Uploaded)
    }
}

/// An event, as the history shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// UUIDv7; deduplicates deliveries.
    pub id: Uuid,
    /// The upload that it is about.
    pub upload_id: Uuid,
    /// 1, 2, 3 … of that upload.
    pub sequence: i32,
    /// The name of an [`EventType`].
    pub kind: String,
    /// When the arrow was taken.
    pub at: DateTime<Utc>,
    /// The facts, frozen at that moment.
    pub data: Value,
    /// When SNS took it; always nothing for events that are not notified.
    pub published_at: Option<DateTime<Utc>>,
    /// When it was given up, because SNS will never take it.
    pub undeliverable_at: Option<DateTime<Utc>>,
}

/// The facts of an upload as they stand after an arrow, for the event's `data`.
pub fn facts(upload: &Upload) -> Value {
    let object = upload.object.as_ref();
    // Once something is proven, a checksum that only the client knows is not told.
    let checksum = object.map_or(upload.declared.checksum.as_ref(), |object| {
        object.checksum.as_ref()
    });
    let verification = upload.verification.map(|verification| {
        json!({
            "level": verification.level.as_str(),
            "by": verification.by.as_str(),
            "at": timestamp(verification.at),
        })
    });
    let mut facts = json!({
        "upload_id": upload.id,
        "status": upload.status.as_str(),
        "name": upload.name,
        "path": upload.path.as_str(),
        "s3_url": upload.s3_url(),
        "bucket": upload.bucket,
        "key": upload.key,
        "size": object.map(|object| object.size).or(upload.declared.size),
        "etag": object.map(|object| &object.etag),
        "version_id": object.and_then(|object| object.version_id.as_ref()),
        "content_type": object
            .and_then(|object| object.content_type.as_ref())
            .unwrap_or(&upload.declared.content_type),
        "checksum": checksum,
        "verification": verification,
        "comments": upload.comments,
        "metadata": upload.metadata,
        "error": upload.error,
    });
    if let (Some(drift), Some(facts)) = (upload.drift, facts.as_object_mut()) {
        facts.insert("drift".to_owned(), json!(drift.kind));
    }
    facts
}

/// RFC 3339 in UTC with milliseconds: how every time leaves this program.
pub fn timestamp(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
}
