//! Removes documents that nothing reads any more.

use diesel::prelude::*;
use diesel::sql_types::BigInt;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::store::schema::documents;
use crate::store::{Connection, Result};

/// Hides the documents of uploads that are replaced or deleted, in the transaction that does that.
/// Their pages, of which there may be many, are left to [`remove_unused`].
pub async fn mark_removable(connection: &mut Connection, uploads: &[Uuid]) -> Result<()> {
    let of_uploads = documents::table
        .filter(documents::upload_id.eq_any(uploads))
        .filter(documents::removable.eq(false));
    diesel::update(of_uploads)
        .set(documents::removable.eq(true))
        .execute(connection)
        .await?;
    Ok(())
}

/// SQL: removes documents that were replaced or deleted. Their pages go with them.
const REMOVE_HIDDEN: &str = "DELETE FROM documents WHERE id IN ( \
     SELECT id FROM documents WHERE removable ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED)";

/// SQL: removes documents of attempts that have lost their lease.
const REMOVE_ABANDONED: &str = "DELETE FROM documents WHERE id IN ( \
     SELECT id FROM documents WHERE pages IS NULL AND NOT EXISTS ( \
         SELECT FROM jobs WHERE jobs.upload_id = documents.upload_id \
         AND jobs.status = 'Running' AND jobs.holder = documents.id) \
     ORDER BY created_at, id LIMIT $1 FOR UPDATE SKIP LOCKED)";

/// Removes at most `limit` documents that are hidden, and as many of attempts that have ended
/// without publishing them, with their pages. Returns how many were removed.
pub async fn remove_unused(connection: &mut Connection, limit: i64) -> Result<usize> {
    let mut removed = 0;
    for statement in [REMOVE_HIDDEN, REMOVE_ABANDONED] {
        removed += diesel::sql_query(statement)
            .bind::<BigInt, _>(limit)
            .execute(connection)
            .await?;
    }
    Ok(removed)
}
