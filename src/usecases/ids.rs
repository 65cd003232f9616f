//! Ids of uploads: UUIDv7, which sort by the time of their creation.

use std::sync::Mutex;

use chrono::{DateTime, Utc};
use uuid::{ClockSequence, ContextV7, Timestamp, Uuid};

/// Keeps the ids that this process creates within one millisecond in order.
static CONTEXT: Mutex<ContextV7> = Mutex::new(ContextV7::new());

/// Creates an id for the time `at` (RFC 9562, section 5.7).
pub(in crate::usecases) fn new_id(at: DateTime<Utc>) -> Uuid {
    id_after(&CONTEXT, at)
}

/// Creates an id for the time `at` that sorts after the earlier ids of this context.
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
