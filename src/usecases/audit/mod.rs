//! The audit: actions are recorded during requests, and written by a background loop.
//!
//! A request does not wait for its row:
//! [`AuditQueue::record`](crate::usecases::context::AuditQueue::record) adds it to a bounded queue,
//! and [`write`](write::write) writes many rows to Postgres in one statement. Actions of an
//! operator on the command line are written in the transaction that performs them.

pub mod list;
pub mod write;

use chrono::{DateTime, Utc};
use uuid::ContextV7;

use crate::domain::audit::{ActionDetails, Actor};
use crate::store::{Connection, audit};
use crate::usecases::context::audit_entry;

/// Writes the actions of an operator on the command line that concern `tenant`, in the caller's
/// transaction.
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
