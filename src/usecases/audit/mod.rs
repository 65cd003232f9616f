//! The audit: what was done is noted on the way, and written by a loop behind it.
//!
//! Whoever acts waits for no row: [`Audit::record`] puts it into a bounded queue, and
//! [`write`](write::write) takes many to Postgres in one statement. What an operator does on the
//! command line is written in the transaction that does it.

pub mod list;
mod queue;
pub mod write;

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use uuid::ContextV7;

pub use queue::Audit;

use crate::domain::audit::{ActionDetails, Actor, Entry, Origin};
use crate::store::{Connection, audit};
use crate::telemetry::log::mask_tokens;
use crate::usecases::ids::id_after;

/// Writes what an operator does in the matters of `tenant`, in the caller's transaction.
pub(super) async fn note(
    connection: &mut Connection,
    at: DateTime<Utc>,
    tenant: &str,
    actions: Vec<ActionDetails>,
) -> crate::store::Result<()> {
    let context = ContextV7::new();
    let entries = actions.into_iter().map(|details| {
        let actor = Actor::Operator {
            tenant: tenant.to_owned(),
        };
        entry(&context, at, actor.into(), None, details)
    });
    audit::append(connection, &entries.collect::<Vec<_>>()).await
}

fn entry(
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

/// What a caller sent, without a credential that was put in the wrong place.
fn masked(text: String) -> String {
    let clean = match mask_tokens(&text) {
        Cow::Owned(clean) => Some(clean),
        Cow::Borrowed(_) => None,
    };
    clean.unwrap_or(text)
}
