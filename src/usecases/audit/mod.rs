//! The audit: what was done is noted on the way, and written by a loop behind it.
//!
//! Whoever acts waits for no row: [`AuditQueue::record`](crate::usecases::context::AuditQueue::record) puts it into a bounded queue, and
//! [`write`](write::write) takes many to Postgres in one statement. What an operator does on the
//! command line is written in the transaction that does it.

pub mod list;
pub mod write;

use chrono::{DateTime, Utc};
use uuid::ContextV7;

use crate::domain::audit::{ActionDetails, Actor};
use crate::store::{Connection, audit};
use crate::usecases::context::audit_entry;

/// Writes what an operator does in the matters of `tenant`, in the caller's transaction.
pub(super) async fn record_operator(
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
        audit_entry(&context, at, actor.into(), None, details)
    });
    audit::append(connection, &entries.collect::<Vec<_>>()).await
}
