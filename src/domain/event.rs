//! Events: one for every status transition of an upload, and one for every detected change of a
//! proven object. They are numbered per upload.

use std::str::FromStr;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::status::Transition;
use super::upload::Upload;

/// The type of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum EventType {
    /// The object was proven.
    #[serde(rename = "dataset.uploaded")]
    Uploaded,
    /// The object does not match what was declared.
    #[serde(rename = "upload.failed")]
    Failed,
    /// No object arrived before the deadline.
    #[serde(rename = "upload.expired")]
    Expired,
    /// The client cancelled the upload.
    #[serde(rename = "upload.cancelled")]
    Cancelled,
    /// The object is being deleted.
    #[serde(rename = "dataset.deleting")]
    Deleting,
    /// The object was deleted.
    #[serde(rename = "dataset.deleted")]
    Deleted,
    /// A later upload to the same path replaced it.
    #[serde(rename = "dataset.superseded")]
    Superseded,
    /// A job of the dataset started to run.
    #[serde(rename = "dataset.processing")]
    Processing,
    /// All jobs of the dataset have succeeded.
    #[serde(rename = "dataset.processed")]
    Processed,
    /// A job of the dataset has failed for good.
    #[serde(rename = "dataset.processing-failed")]
    ProcessingFailed,
    /// The object at the key is no longer the proven one.
    #[serde(rename = "dataset.drifted")]
    Drifted,
    /// The proven object is at its key again.
    #[serde(rename = "dataset.restored")]
    Restored,
}

impl EventType {
    /// Every type.
    pub const ALL: [Self; 12] = [
        Self::Uploaded,
        Self::Failed,
        Self::Expired,
        Self::Cancelled,
        Self::Deleting,
        Self::Deleted,
        Self::Superseded,
        Self::Processing,
        Self::Processed,
        Self::ProcessingFailed,
        Self::Drifted,
        Self::Restored,
    ];

    /// The type of the event that a transition records.
    pub const fn of(transition: Transition) -> Self {
        match transition {
            Transition::Acknowledge => Self::Uploaded,
            Transition::Fail => Self::Failed,
            Transition::Expire => Self::Expired,
            Transition::Cancel => Self::Cancelled,
            Transition::StartDelete => Self::Deleting,
            Transition::FinishDelete => Self::Deleted,
            Transition::Supersede => Self::Superseded,
            Transition::StartProcessing | Transition::RetryProcessing => Self::Processing,
            Transition::FinishProcessing => Self::Processed,
            Transition::FailProcessing => Self::ProcessingFailed,
        }
    }

    /// The name in JSON and in Postgres.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Uploaded => "dataset.uploaded",
            Self::Failed => "upload.failed",
            Self::Expired => "upload.expired",
            Self::Cancelled => "upload.cancelled",
            Self::Deleting => "dataset.deleting",
            Self::Deleted => "dataset.deleted",
            Self::Superseded => "dataset.superseded",
            Self::Processing => "dataset.processing",
            Self::Processed => "dataset.processed",
            Self::ProcessingFailed => "dataset.processing-failed",
            Self::Drifted => "dataset.drifted",
            Self::Restored => "dataset.restored",
        }
    }
}

impl FromStr for EventType {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let mut all = Self::ALL.into_iter();
        all.find(|kind| kind.as_str() == name).ok_or_else(|| {
            let known = Self::ALL.map(Self::as_str).join(", ");
            format!("unknown event type; the event types are {known}")
        })
    }
}

/// An event in the history of an upload.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// UUIDv7. Consumers deduplicate deliveries by it.
    pub id: Uuid,
    /// The upload that changed.
    pub upload_id: Uuid,
    /// The position in the history of the upload, starting at 1.
    pub sequence: i32,
    /// The name of an [`EventType`].
    pub kind: String,
    /// When it happened.
    pub at: DateTime<Utc>,
    /// The state of the upload at that time, see [`event_data`].
    pub data: Value,
    /// When it was published to SNS; `None` if its type was not one of the published ones
    /// ([`NotifiedTypes`](super::notified_types::NotifiedTypes)).
    pub published_at: Option<DateTime<Utc>>,
    /// When publishing was given up because SNS will never accept it.
    pub undeliverable_at: Option<DateTime<Utc>>,
}

/// The `data` of an event: the state of the upload after the change.
pub fn event_data(upload: &Upload) -> Value {
    let object = upload.object.as_ref();
    // After the proof, a checksum that only the client has stated is left out.
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
    let mut data = json!({
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
    if let (Some(drift), Some(data)) = (upload.drift, data.as_object_mut()) {
        data.insert("drift".to_owned(), json!(drift.kind));
    }
    if let (Some(source), Some(data)) = (upload.derived_from, data.as_object_mut()) {
        data.insert("derived_from".to_owned(), json!(source));
    }
    data
}

/// Formats a time as RFC 3339 in UTC with milliseconds. All output uses this format.
pub fn timestamp(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
}
