//! Inserts a document and its pages, under the lease of the job that has extracted it.

use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, Integer, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::domain::document::PageText;
use crate::store::{Connection, Result};

/// The document of an attempt at a job.
#[derive(Clone, Debug)]
pub struct NewDocument {
    /// The token of the lease, which is the id of the document.
    pub token: Uuid,
    /// The job.
    pub job_id: Uuid,
    /// The upload of the job.
    pub upload_id: Uuid,
    /// The folders that contain the upload, as the search has them
    /// ([`search_folders`](crate::domain::document::search_folders)).
    pub folders: Vec<String>,
}

/// SQL: a document, if the job `$1` has the lease with the token `$2`.
const INSERT: &str = "INSERT INTO documents (id, upload_id, created_at) \
     SELECT holder, upload_id, $3 FROM jobs WHERE id = $1 AND status = 'Running' AND holder = $2";

/// SQL: pages of the document `$2`, if the job `$1` has the lease with that token.
const INSERT_PAGES: &str = "INSERT INTO document_pages (document_id, page, folders, text) \
     SELECT jobs.holder, new.page, $3, new.text \
     FROM jobs CROSS JOIN unnest($4::integer[], $5::text[]) AS new (page, text) \
     WHERE jobs.id = $1 AND jobs.status = 'Running' AND jobs.holder = $2";

/// Inserts a document without pages, which is not published. Returns whether the job still has its
/// lease; otherwise nothing is inserted.
pub async fn insert(
    connection: &mut Connection,
    document: &NewDocument,
    now: DateTime<Utc>,
) -> Result<bool> {
    let inserted = diesel::sql_query(INSERT)
        .bind::<SqlUuid, _>(document.job_id)
        .bind::<SqlUuid, _>(document.token)
        .bind::<Timestamptz, _>(now)
        .execute(connection)
        .await?;
    Ok(inserted > 0)
}

/// Inserts pages of a document that is not published yet. Returns whether the job still has its
/// lease; otherwise nothing is inserted. `pages` must not be empty.
pub async fn insert_pages(
    connection: &mut Connection,
    document: &NewDocument,
    pages: &[PageText],
) -> Result<bool> {
    let numbers: Vec<i32> = (pages.iter())
        .map(|page| i32::try_from(page.page).unwrap_or(i32::MAX))
        .collect();
    let texts: Vec<&str> = pages.iter().map(|page| &*page.text).collect();
    let inserted = diesel::sql_query(INSERT_PAGES)
        .bind::<SqlUuid, _>(document.job_id)
        .bind::<SqlUuid, _>(document.token)
        .bind::<Array<Text>, _>(&document.folders)
        .bind::<Array<Integer>, _>(numbers)
        .bind::<Array<Text>, _>(texts)
        .execute(connection)
        .await?;
    Ok(inserted > 0)
}
