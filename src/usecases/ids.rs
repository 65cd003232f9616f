//! Ids of uploads: UUIDv7, which sort by the time they were made.

use std::sync::Mutex;

use chrono::{DateTime, Utc};
use uuid::{ClockSequence, ContextV7, Timestamp, Uuid};

/// Ids that one process makes in one millisecond still sort in order.
static CONTEXT: Mutex<ContextV7> = Mutex::new(ContextV7::new());

/// A new id, made at `at` (RFC 9562, section 5.7).
pub(in crate::usecases) fn new_id(at: DateTime<Utc>) -> Uuid {
    id_after(&CONTEXT, at)
}

/// A new id, made at `at`, that sorts behind those which came out of this context before.
pub(in crate::usecases) fn id_after(
    context: impl ClockSequence<Output = u64>,
    at: DateTime<Utc>,
) -> Uuid {
    let seconds = u64::try_from(at.timestamp()).unwrap_or_default();
    Uuid::new_v7(Timestamp::from_unix(
        context,
        seconds,
        at.timestamp_subsec_nanos(),
    ))
}
