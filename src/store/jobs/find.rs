//! Finds and locks single jobs and their uploads.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::row::{Row, into_jobs};
use crate::domain::job::{Job, JobStatus};
use crate::domain::upload::Upload;
use crate::store::lease::{Lease, current_time};
use crate::store::schema::jobs;
use crate::store::uploads::{self, OnLocked};
use crate::store::{Connection, Result};

/// A job whose upload is locked by this transaction.
#[derive(Debug)]
pub struct LockedJob {
    /// The job.
    pub job: Job,
    /// Whether its lease has not ended, by the clock of Postgres.
    pub is_leased: bool,
}

/// Locks the row of an upload of this tenant until the end of the transaction, and reads it. Waits
/// for the lock, as long as the `lock_timeout` of the session allows.
pub async fn lock_upload(
    connection: &mut Connection,
    tenant: &str,
    id: Uuid,
) -> Result<Option<Upload>> {
    uploads::lock(connection, &[id], OnLocked::Wait).await?;
    uploads::find_by_id(connection, tenant, id).await
}

/// Locks the job of a processor on an upload, whose row the caller has locked, and reads it.
/// `lease` provides the current time.
pub async fn lock_job(
    connection: &mut Connection,
    upload_id: Uuid,
    processor: &str,
    lease: &Lease,
) -> Result<Option<LockedJob>> {
    let is_leased = jobs::leased_until.gt(current_time!(lease));
    let found: Option<(Row, Option<bool>)> = jobs::table
        .filter(jobs::upload_id.eq(upload_id))
        .filter(jobs::processor.eq(processor))
        .for_no_key_update()
        .select((Row::as_select(), is_leased))
        .first(connection)
        .await
        .optional()?;
    let Some((row, is_leased)) = found else {
        return Ok(None);
    };
    Ok(Some(LockedJob {
        job: row.into_job()?,
        is_leased: is_leased.unwrap_or(false),
    }))
}

/// Returns the jobs of an upload, the oldest first.
pub async fn find_of_upload(connection: &mut Connection, upload_id: Uuid) -> Result<Vec<Job>> {
    let rows: Vec<Row> = jobs::table
        .filter(jobs::upload_id.eq(upload_id))
        .order(jobs::id)
        .select(Row::as_select())
        .load(connection)
        .await?;
    into_jobs(rows)
}

/// Returns the jobs of an upload that have succeeded, the oldest first.
pub async fn find_succeeded(connection: &mut Connection, upload_id: Uuid) -> Result<Vec<Job>> {
    let rows: Vec<Row> = jobs::table
        .filter(jobs::upload_id.eq(upload_id))
        .filter(jobs::status.eq(JobStatus::Succeeded.as_str()))
        .order(jobs::id)
        .select(Row::as_select())
        .load(connection)
        .await?;
    into_jobs(rows)
}
