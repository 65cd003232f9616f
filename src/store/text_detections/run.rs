//! Saves and forgets the run of a job.

use chrono::{DateTime, Utc};
use diesel::sql_types::{Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::{AsyncConnection as _, RunQueryDsl};

use super::answers::delete_text;
use super::leased_job::LeasedJob;
use crate::store::{Connection, Error, Result};

/// SQL: replaces the run of the job `$1`, if it has the lease with the token `$2`.
const SAVE: &str = "INSERT INTO text_detections (job_id, starts, run_id, started_at) \
     SELECT id, $3, $4, CASE WHEN $4 IS NULL THEN NULL ELSE $5 END \
     FROM jobs WHERE id = $1 AND status = 'Running' AND holder = $2 \
     ON CONFLICT (job_id) DO UPDATE SET starts = excluded.starts, run_id = excluded.run_id, \
     started_at = excluded.started_at, answers = 0, next_answer = NULL, pages = NULL, \
     missing_pages = '{}', is_fetched = false";

/// Saves the run with the number `starts`, which was started now, in place of an earlier one. Returns
/// whether the job still has its lease; otherwise nothing is changed.
pub async fn save_run(
    connection: &mut Connection,
    job: LeasedJob,
    starts: u32,
    run: &str,
    now: DateTime<Utc>,
) -> Result<bool> {
    replace(connection, job, starts, Some(run), now).await
}

/// Forgets the run with the number `starts` and its text, so that the next start is a new run.
/// Returns whether the job still has its lease; otherwise nothing is changed.
pub async fn forget_run(
    connection: &mut Connection,
    job: LeasedJob,
    starts: u32,
    now: DateTime<Utc>,
) -> Result<bool> {
    replace(connection, job, starts, None, now).await
}

async fn replace(
    connection: &mut Connection,
    job: LeasedJob,
    starts: u32,
    run: Option<&str>,
    now: DateTime<Utc>,
) -> Result<bool> {
    connection
        .transaction(async |connection| {
            let saved = diesel::sql_query(SAVE)
                .bind::<SqlUuid, _>(job.id)
                .bind::<SqlUuid, _>(job.token)
                .bind::<Integer, _>(i32::try_from(starts).unwrap_or(i32::MAX))
                .bind::<Nullable<Text>, _>(run)
                .bind::<Timestamptz, _>(now)
                .execute(connection)
                .await?;
            if saved > 0 {
                delete_text(connection, job.id).await?;
            }
            Ok::<_, Error>(saved > 0)
        })
        .await
}
