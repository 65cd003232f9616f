//! Row locks that many uploads are changed under.

use std::collections::HashSet;

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::store::schema::uploads;
use crate::store::{Connection, Result};

/// What becomes of a row that another transaction has locked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnLocked {
    /// It is passed over.
    Skip,
    /// It is waited for, as long as the session's `lock_timeout` allows.
    Wait,
}

/// Locks rows against changes until the end of the transaction, and returns the ids of those that
/// it locked.
///
/// The locks are taken in the order of the ids: two callers that want the same rows never wait for
/// each other in a circle.
pub(super) async fn lock(
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
