//! The event hook: who wants to know that an object was made or removed.
//!
//! S3 promises at least once and no order; here it is once, unless the process dies between the
//! commit and the call. Two changes of one key may be told out of order: `sequencer` has the truth.

use std::time::SystemTime;

/// Told about changes of the store.
///
/// It is called on a thread that may block, before the client has its answer: hand the event on
/// quickly. Any `Fn(&Event)` is one.
pub trait Observer: Send + Sync + 'static {
    /// The change is committed and on disk.
    fn changed(&self, event: &Event);
}

impl<F: Fn(&Event) + Send + Sync + 'static> Observer for F {
    fn changed(&self, event: &Event) {
        self(event);
    }
}

/// One change, with what an S3 event notification holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// What happened.
    pub name: EventName,
    /// In which bucket.
    pub bucket: String,
    /// The key as it is, not URL-encoded.
    pub key: String,
    /// Bytes; none when the object was removed.
    pub size: Option<u64>,
    /// Without quotes; none when the object was removed.
    pub etag: Option<String>,
    /// Fixed-width hexadecimal that grows with every change of the store: compare as text.
    pub sequencer: String,
    /// When.
    pub time: SystemTime,
}

/// The events of S3 that this store makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventName {
    /// By PutObject.
    CreatedPut,
    /// By a POST form.
    CreatedPost,
    /// By CopyObject.
    CreatedCopy,
    /// By CompleteMultipartUpload.
    CreatedMultipart,
    /// By DeleteObject or DeleteObjects.
    RemovedDelete,
}

impl EventName {
    /// As S3 writes it in `eventName`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CreatedPut => "ObjectCreated:Put",
            Self::CreatedPost => "ObjectCreated:Post",
            Self::CreatedCopy => "ObjectCreated:Copy",
            Self::CreatedMultipart => "ObjectCreated:CompleteMultipartUpload",
            Self::RemovedDelete => "ObjectRemoved:Delete",
        }
    }
}
