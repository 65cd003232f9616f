//! One record of the audit.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use uuid::ContextV7;

use crate::domain::audit::{ActionDetails, Entry, Origin};
use crate::telemetry::log::mask_tokens;
use crate::usecases::ids::id_after;

/// A record of what was done at `at`. Its id sorts after those that came out of `context` before.
pub(in crate::usecases) fn audit_entry(
    context: &ContextV7,
    at: DateTime<Utc>,
    origin: Origin,
    operation: Option<String>,
    details: ActionDetails,
) -> Entry {
    Entry {
        id: id_after(context, at),
        at,
        origin,
        operation,
        details: ActionDetails {
            subject: details.subject.map(masked),
            path: details.path.map(masked),
            ..details
        },
        count: 1,
    }
}

/// Text that a caller sent, without a credential that was put in the wrong place.
fn masked(text: String) -> String {
    let clean = match mask_tokens(&text) {
        Cow::Owned(clean) => Some(clean),
        Cow::Borrowed(_) => None,
    };
    clean.unwrap_or(text)
}
