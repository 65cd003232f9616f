//! Makes a job due whose run has ended.

use chrono::{DateTime, Utc};
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::Timestamptz;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::find::find;
use crate::domain::job::JobStatus;
use crate::store::schema::{jobs, text_detections};
use crate::store::{Connection, Result};

/// What becomes of a job whose run has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Woken {
    /// The job is due.
    Due,
    /// A worker still works on the job: the run may have ended before the worker has saved it.
    Running,
    /// There is no open job with this run, or its text is being fetched: nothing is to be done.
    Unknown,
}

/// Makes the job `id` due, which waits for the end of `run`.
pub async fn wake(
    connection: &mut Connection,
    id: Uuid,
    run: &str,
    now: DateTime<Utc>,
) -> Result<Woken> {
    let of_run = text_detections::table
        .filter(text_detections::job_id.eq(id))
        .filter(text_detections::run_id.eq(run));
    let waiting = jobs::table
        .filter(jobs::id.eq(id))
        .filter(jobs::status.eq(JobStatus::Queued.as_str()))
        .filter(diesel::dsl::exists(of_run));
    let woken = diesel::update(waiting)
        .set((
            // A job that is due already keeps its place.
            jobs::due_at.eq(sql::<Timestamptz>("least(due_at, ")
                .bind::<Timestamptz, _>(now)
                .sql(")")),
            jobs::updated_at.eq(now),
        ))
        .execute(connection)
        .await?;
    if woken > 0 {
        return Ok(Woken::Due);
    }
    let status: Option<String> = jobs::table
        .find(id)
        .select(jobs::status)
        .first(connection)
        .await
        .optional()?;
    let is_running = status.as_deref() == Some(JobStatus::Running.as_str());
    let saved = find(connection, id).await?.run;
    let is_expected = saved.is_none_or(|saved| saved.id == run && saved.answers == 0);
    Ok(match is_running && is_expected {
        true => Woken::Running,
        false => Woken::Unknown,
    })
}
