//! Limits and defaults, from the settings.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;

use crate::config::{ContentTypes, StaleMultipart};
use crate::domain::encryption::Encryption;
use crate::domain::notified_types::NotifiedTypes;
use crate::domain::rules::ProcessingRules;

/// Limits and defaults, from the settings.
#[derive(Clone, Debug)]
pub struct Rules {
    /// How long a URL lives where the client does not say, in seconds.
    pub url_seconds: u32,
    /// The largest object, in bytes.
    pub max_size: u64,
    /// Larger objects come in parts where the client does not say, in bytes.
    pub multipart_threshold: u64,
    /// Larger objects are copied in parts, in bytes.
    pub copy_threshold: u64,
    /// How long after its creation a session may be extended to, in seconds.
    pub session_max_seconds: u32,
    /// How long S3 may take to complete a multipart upload, or to copy an object.
    pub complete_timeout: Duration,
    /// The encryption at rest that the store is asked for; none: as the bucket says.
    pub encryption: Option<Encryption>,
    /// Which content types uploads may have.
    pub content_types: ContentTypes,
    /// How long a row stays leased by a replica that does not renew the lease.
    pub lease: Duration,
    /// How long after its deadline an upload stays Pending, in seconds.
    pub grace_seconds: u32,
    /// Whether callers need a key.
    pub authentication: bool,
    /// Whether the actions of callers are recorded in the audit.
    pub audited: bool,
    /// Which event types are published to SNS.
    pub notified: NotifiedTypes,
    /// How long history is kept.
    pub retention: Retention,
    /// Where the results of jobs are written: a path that starts and ends with a slash.
    pub derived_prefix: String,
    /// When multipart uploads that no row names are aborted.
    pub stale_multipart: StaleMultipart,
    /// How long after its creation an upload is first checked for its object that no client
    /// acknowledges; `None` where it is not.
    pub arrival_check: Option<TimeDelta>,
    /// Which jobs an upload gets once it is proven.
    pub processing: Arc<ProcessingRules>,
}

/// How long history is kept; `None`: for ever.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retention {
    /// Events that were published, or are not to be.
    pub events: Option<TimeDelta>,
    /// Uploads that ended: Deleted, Cancelled, Expired, Superseded, failed without an object.
    pub uploads: Option<TimeDelta>,
    /// Rows of the audit.
    pub audit: Option<TimeDelta>,
}
