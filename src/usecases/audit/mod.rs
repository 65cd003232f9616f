//! The audit: what was done is noted on the way, and written by a loop behind it.
//!
//! Whoever acts waits for no row: [`Audit::record`] puts it into a bounded queue, and
//! [`write`](write::write) takes many to Postgres in one statement. What an operator does on the
//! command line is written in the transaction that does it.

pub mod list;
mod queue;
pub mod write;

use chrono::{DateTime, Utc};

pub use queue::Audit;

use super::ids::new_id;
use crate::domain::audit::{Actor, Deed, Entry, Who};
use crate::store::{Connection, audit};

/// Writes what an operator does in the matters of `tenant`, in the caller's transaction.
pub(super) async fn note(
    connection: &mut Connection,
    at: DateTime<Utc>,
    tenant: &str,
    deed: Deed,
) -> crate::store::Result<()> {
    let actor = Actor::Operator {
        tenant: tenant.to_owned(),
    };
    audit::append(connection, &[entry(at, actor.into(), None, deed)]).await
}

fn entry(at: DateTime<Utc>, who: Who, operation: Option<String>, deed: Deed) -> Entry {
    Entry {
        id: new_id(at),
        at,
        who,
        operation,
        deed,
        count: 1,
    }
}
