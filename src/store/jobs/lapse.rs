//! Takes back jobs whose lease has ended without a report.

use chrono::{DateTime, Utc};
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{Array, Double, Nullable, Text, Timestamptz};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::row::Row;
use crate::domain::job::{Job, JobStatus, MAX_ATTEMPTS};
use crate::store::lease::{Lease, current_time};
use crate::store::schema::{jobs, uploads};
use crate::store::{Connection, Result};

/// Jobs whose lease had ended.
#[derive(Debug, Default)]
pub struct Lapsed {
    /// Jobs that are queued again.
    pub queued: Vec<Job>,
    /// Jobs that have failed for good, because they were started [`MAX_ATTEMPTS`] times.
    pub failed: Vec<Job>,
}

/// Queues at most `limit` jobs again whose lease has ended, or marks them Failed if they were started
/// too often. `delays_seconds` has the back-off after the first, the second, … attempt. `lease`
/// provides the current time. Locks the rows of the uploads, and skips those that are locked. Call it
/// inside a transaction, and let the uploads of the failed jobs follow.
pub async fn requeue_lapsed(
    connection: &mut Connection,
    lease: &Lease,
    delays_seconds: &[f64],
    now: DateTime<Utc>,
    limit: i64,
) -> Result<Lapsed> {
    let is_over = jobs::leased_until.le(current_time!(lease));
    let over: Vec<Uuid> = jobs::table
        .inner_join(uploads::table)
        .filter(jobs::status.eq(JobStatus::Running.as_str()))
        .filter(is_over)
        .order(jobs::leased_until)
        .limit(limit)
        .select((jobs::id, jobs::upload_id))
        .load::<(Uuid, Uuid)>(connection)
        .await?
        .into_iter()
        .map(|(id, _)| id)
        .collect();
    if over.is_empty() {
        return Ok(Lapsed::default());
    }
    let locked = lock_uploads_of(connection, &over).await?;
    let max_attempts = i32::try_from(MAX_ATTEMPTS).unwrap_or(i32::MAX);
    let is_over = jobs::leased_until.le(current_time!(lease));
    let rows = jobs::table
        .filter(jobs::id.eq_any(locked))
        .filter(jobs::status.eq(JobStatus::Running.as_str()))
        .filter(is_over);
    let rows: Vec<Row> = diesel::update(rows)
        .set((
            jobs::status.eq(sql::<Text>("CASE WHEN attempts >= ")
                .bind::<diesel::sql_types::Integer, _>(max_attempts)
                .sql(" THEN 'Failed' ELSE 'Queued' END")),
            jobs::ended_at.eq(sql::<Nullable<Timestamptz>>("CASE WHEN attempts >= ")
                .bind::<diesel::sql_types::Integer, _>(max_attempts)
                .sql(" THEN ")
                .bind::<Timestamptz, _>(now)
                .sql(" END")),
            jobs::due_at.eq(sql::<Timestamptz>("")
                .bind::<Timestamptz, _>(now)
                .sql(" + make_interval(secs => coalesce((")
                .bind::<Array<Double>, _>(delays_seconds)
                .sql(")[attempts], 0))")),
            jobs::holder.eq(None::<Uuid>),
            jobs::leased_until.eq(None::<DateTime<Utc>>),
            jobs::progress.eq(None::<f64>),
            jobs::message.eq("The worker did not report before its lease ended."),
            jobs::updated_at.eq(now),
        ))
        .returning(Row::as_returning())
        .get_results(connection)
        .await?;
    let mut lapsed = Lapsed::default();
    for row in rows {
        let job = row.into_job()?;
        match job.status {
            JobStatus::Failed => lapsed.failed.push(job),
            _ => lapsed.queued.push(job),
        }
    }
    Ok(lapsed)
}

/// Locks the uploads of these jobs, and returns the jobs whose upload could be locked at once.
async fn lock_uploads_of(connection: &mut Connection, ids: &[Uuid]) -> Result<Vec<Uuid>> {
    diesel::sql_query(
        "SELECT jobs.id FROM jobs JOIN uploads ON uploads.id = jobs.upload_id \
         WHERE jobs.id = ANY($1) ORDER BY uploads.id FOR NO KEY UPDATE OF uploads SKIP LOCKED",
    )
    .bind::<Array<diesel::sql_types::Uuid>, _>(ids)
    .load::<LockedJobId>(connection)
    .await
    .map(|rows| rows.into_iter().map(|row| row.id).collect())
}

#[derive(QueryableByName)]
struct LockedJobId {
    #[diesel(sql_type = diesel::sql_types::Uuid)]
    id: Uuid,
}
