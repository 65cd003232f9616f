//! Notifications about objects that were created or removed.
//!
//! S3 guarantees at-least-once delivery and no order. Here an event is delivered once, unless the process
//! dies between the commit and the call. Two changes of one key may be reported out of order; `sequencer`
//! gives their real order.

use std::time::SystemTime;

/// Receives an event for every change of the store.
///
/// The observer is called on a thread that may block, before the response is sent to the client. So it
/// should return quickly. Any `Fn(&Event)` is an observer.
pub trait Observer: Send + Sync + 'static {
    /// Called after the change is committed and on disk.
    fn changed(&self, event: &Event);
}

impl<F: Fn(&Event) + Send + Sync + 'static> Observer for F {
    fn changed(&self, event: &Event) {
        self(event);
    }
}

/// One change, with the members of an S3 event notification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The kind of the change.
    pub name: EventName,
    /// The bucket of the object.
    pub bucket: String,
    /// The key of the object, not URL-encoded.
    pub key: String,
    /// The size in bytes; `None` if the object was removed.
    pub size: Option<u64>,
    /// The ETag without quotes; `None` if the object was removed.
    pub etag: Option<String>,
    /// A hexadecimal number of fixed width that increases with every change of the store. Compare it as
    /// text.
    pub sequencer: String,
    /// The time of the change.
    pub time: SystemTime,
}

/// The S3 event types that this store sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventName {
    /// Created by PutObject.
    CreatedPut,
    /// Created by a POST form.
    CreatedPost,
    /// Created by CopyObject.
    CreatedCopy,
    /// Created by CompleteMultipartUpload.
    CreatedMultipart,
    /// Removed by DeleteObject or DeleteObjects.
    RemovedDelete,
}

impl EventName {
    /// Returns the value of `eventName` in an S3 event notification.
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
