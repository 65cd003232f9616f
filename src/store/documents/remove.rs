//! Removes documents that nothing reads any more, a bounded number of pages at a time.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::store::schema::documents;
use crate::store::{Connection, Result};

/// Hides the documents of uploads that are replaced or deleted, in the transaction that does that.
/// Their pages, of which there may be many, are left to the janitor.
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

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
}

/// SQL: locks a document whose upload was replaced or deleted.
const LOCK_HIDDEN: &str =
    "SELECT id FROM documents WHERE removable ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED";

/// SQL: locks a document of an attempt that has lost its lease.
const LOCK_ABANDONED: &str = "SELECT id FROM documents WHERE pages IS NULL AND NOT EXISTS ( \
         SELECT FROM jobs WHERE jobs.upload_id = documents.upload_id \
         AND jobs.status = 'Running' AND jobs.holder = documents.id) \
     ORDER BY created_at, id LIMIT 1 FOR UPDATE SKIP LOCKED";

/// Locks a document that is hidden, or of an attempt that has ended without publishing it, and
/// returns its id. Skips documents that another transaction has locked.
pub async fn lock_unused(connection: &mut Connection) -> Result<Option<Uuid>> {
    for statement in [LOCK_HIDDEN, LOCK_ABANDONED] {
        let rows: Vec<Row> = diesel::sql_query(statement).load(connection).await?;
        if let Some(row) = rows.into_iter().next() {
            return Ok(Some(row.id));
        }
    }
    Ok(None)
}

/// SQL: removes some pages of a document.
const REMOVE_PAGES: &str = "DELETE FROM document_pages WHERE document_id = $1 AND page = ANY(ARRAY( \
     SELECT page FROM document_pages WHERE document_id = $1 ORDER BY page LIMIT $2))";

/// Removes at most `limit` pages of a document, and returns how many.
pub async fn remove_pages(
    connection: &mut Connection,
    document: Uuid,
    limit: i64,
) -> Result<usize> {
    diesel::sql_query(REMOVE_PAGES)
        .bind::<SqlUuid, _>(document)
        .bind::<BigInt, _>(limit)
        .execute(connection)
        .await
}

/// Removes a document, and the pages that are left of it.
pub async fn remove(connection: &mut Connection, document: Uuid) -> Result<()> {
    diesel::delete(documents::table.filter(documents::id.eq(document)))
        .execute(connection)
        .await?;
    Ok(())
}
