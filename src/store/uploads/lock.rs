//! Row locks for changing many uploads.

use std::collections::HashSet;

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::store::schema::uploads;
use crate::store::{Connection, Result};

/// What to do about a row that another transaction has locked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnLocked {
    /// Skip the row.
    Skip,
    /// Wait for the lock, as long as the `lock_timeout` of the session allows.
    Wait,
}

/// Locks rows against changes until the end of the transaction, and returns the ids of the locked
/// rows.
///
/// The locks are taken in the order of the ids, so that two transactions that lock the same rows
/// cannot deadlock.
pub(in crate::store) async fn lock(
    connection: &mut Connection,
    ids: &[Uuid],
    locked: OnLocked,
) -> Result<HashSet<Uuid>> {
    let rows = uploads::table
        .filter(uploads::id.eq_any(ids))
        .order(uploads::id)
        .select(uploads::id)
        .for_no_key_update();
    let ids: Vec<Uuid> = match locked {
        OnLocked::Skip => rows.skip_locked().load(connection).await?,
        OnLocked::Wait => rows.load(connection).await?,
    };
    Ok(ids.into_iter().collect())
}
