//! Queues failed jobs again.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::row::{Row, into_jobs};
use crate::domain::job::{Job, JobStatus};
use crate::store::schema::jobs;
use crate::store::{Connection, Result};

/// Queues the failed jobs of an upload again, or only that of `processor`, with all attempts. The
/// caller has locked the row of the upload.
pub async fn requeue_failed(
    connection: &mut Connection,
    upload_id: Uuid,
    processor: Option<&str>,
    now: DateTime<Utc>,
) -> Result<Vec<Job>> {
    let failed: Vec<(Uuid, String)> = jobs::table
        .filter(jobs::upload_id.eq(upload_id))
        .filter(jobs::status.eq(JobStatus::Failed.as_str()))
        .select((jobs::id, jobs::processor))
        .load(connection)
        .await?;
    let failed: Vec<Uuid> = (failed.into_iter())
        .filter(|(_, name)| processor.is_none_or(|wanted| wanted == name))
        .map(|(id, _)| id)
        .collect();
    let rows: Vec<Row> = diesel::update(jobs::table.filter(jobs::id.eq_any(failed)))
        .set((
            jobs::status.eq(JobStatus::Queued.as_str()),
            jobs::attempts.eq(0),
            jobs::progress.eq(None::<f64>),
            jobs::message.eq(None::<String>),
            jobs::holder.eq(None::<Uuid>),
            jobs::due_at.eq(now),
            jobs::ended_at.eq(None::<DateTime<Utc>>),
            jobs::updated_at.eq(now),
        ))
        .returning(Row::as_returning())
        .get_results(connection)
        .await?;
    into_jobs(rows)
}
