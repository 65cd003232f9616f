//! Ends a running job, or gives it back to the queue.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde_json::{Value, json};
use uuid::Uuid;

use super::row::Row;
use crate::domain::job::{Job, JobOutput, JobStatus};
use crate::store::schema::jobs;
use crate::store::{Connection, Result};

/// How a job ends.
#[derive(Clone, Debug)]
pub struct End {
    /// `Succeeded` or `Failed`.
    pub status: JobStatus,
    /// What the worker reports, or why the job failed; `None` leaves the last message.
    pub message: Option<String>,
    /// The datasets that the job has written.
    pub outputs: Vec<JobOutput>,
    /// What the processor found.
    pub report: Option<Value>,
}

/// Ends a running job whose upload the caller has locked. Returns `None`, without changes, if the
/// job no longer has the lease with `token`. The token stays in the row, so that a repeated report
/// can be recognised.
pub async fn end(
    connection: &mut Connection,
    id: Uuid,
    token: Uuid,
    end: &End,
    now: DateTime<Utc>,
) -> Result<Option<Job>> {
    let succeeded = end.status == JobStatus::Succeeded;
    let row: Option<Row> = diesel::update(leased(id, token))
        .set((
            jobs::status.eq(end.status.as_str()),
            jobs::leased_until.eq(None::<DateTime<Utc>>),
            jobs::outputs.eq(json!(end.outputs)),
            jobs::report.eq(&end.report),
            succeeded.then_some(jobs::progress.eq(1.0)),
            end.message
                .as_ref()
                .map(|message| jobs::message.eq(message)),
            jobs::ended_at.eq(now),
            jobs::updated_at.eq(now),
        ))
        .returning(Row::as_returning())
        .get_result(connection)
        .await
        .optional()?;
    row.map(Row::into_job).transpose()
}

/// Gives a running job back to the queue; it is due again at `due_at`. With `counted` the attempt
/// counts as a failed one; without it, the job is as if it had not been started. Returns `None`,
/// without changes, if the job no longer has the lease with `token`.
pub async fn give_back(
    connection: &mut Connection,
    id: Uuid,
    token: Uuid,
    counted: bool,
    message: Option<&str>,
    due_at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<Option<Job>> {
    let row: Option<Row> = diesel::update(leased(id, token))
        .set((
            jobs::status.eq(JobStatus::Queued.as_str()),
            jobs::holder.eq(None::<Uuid>),
            jobs::leased_until.eq(None::<DateTime<Utc>>),
            jobs::attempts.eq(jobs::attempts - i32::from(!counted)),
            jobs::progress.eq(None::<f64>),
            message.map(|message| jobs::message.eq(message)),
            jobs::due_at.eq(due_at),
            jobs::updated_at.eq(now),
        ))
        .returning(Row::as_returning())
        .get_result(connection)
        .await
        .optional()?;
    row.map(Row::into_job).transpose()
}

#[diesel::dsl::auto_type(no_type_alias)]
fn leased(id: Uuid, token: Uuid) -> _ {
    jobs::table
        .filter(jobs::id.eq(id))
        .filter(jobs::status.eq("Running"))
        .filter(jobs::holder.eq(token))
}
