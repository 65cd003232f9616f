//! Queues jobs again whose worker did not report before its lease ended.
//!
//! It runs before each claim, and in every round of the janitor, so that a job that kills its worker
//! each time ends as Failed even if no worker is left. Any number of processes may run it at once.

use diesel_async::AsyncConnection as _;

use super::backoff::BACKOFF;
use crate::domain::job::MAX_ATTEMPTS;
use crate::domain::notified_types::NotifiedTypes;
use crate::store::{jobs, lease::Lease};
use crate::usecases::context::Broker;
use crate::usecases::error::Result;

/// The largest number of jobs in one transaction.
const MAX_JOBS: i64 = 100;
/// Why the upload of a job that was started too often failed.
const TOO_MANY_ATTEMPTS: &str = "The job was started five times, and each time its worker did not report before its lease ended.";

/// Queues lapsed jobs again, or marks them Failed if they were started too often, and returns how many
/// were changed.
pub async fn requeue_lapsed(broker: &Broker) -> Result<u64> {
    let now = broker.clock.now();
    let clock_of_lease = broker.new_lease();
    let delays: Vec<f64> = (1..=MAX_ATTEMPTS)
        .map(|attempts| BACKOFF.delay(attempts).as_secs_f64())
        .collect();
    let mut connection = broker.connection().await?;
    let lapsed = connection
        .transaction(async |connection| {
            requeue(
                connection,
                &clock_of_lease,
                &delays,
                now,
                &broker.rules.notified,
            )
            .await
        })
        .await?;
    for job in &lapsed.failed {
        broker.metrics.jobs.ended("failed");
        let (id, processor, upload) = (job.id, &job.processor, job.upload_id);
        log::warn!("job {id} of {processor} on upload {upload} failed: {TOO_MANY_ATTEMPTS}");
    }
    for job in &lapsed.queued {
        broker.metrics.jobs.ended("lapsed");
        let (id, processor, attempts) = (job.id, &job.processor, job.attempts);
        log::warn!(
            "job {id} of {processor}: attempt {attempts} lapsed, and the job is queued again"
        );
    }
    if !lapsed.failed.is_empty() {
        broker.outbox.notify_one();
    }
    let changed = lapsed.failed.len() + lapsed.queued.len();
    Ok(u64::try_from(changed).unwrap_or(u64::MAX))
}

async fn requeue(
    connection: &mut crate::store::Connection,
    lease: &Lease,
    delays: &[f64],
    now: chrono::DateTime<chrono::Utc>,
    notified: &NotifiedTypes,
) -> diesel::QueryResult<jobs::Lapsed> {
    let lapsed = jobs::requeue_lapsed(connection, lease, delays, now, MAX_JOBS).await?;
    for job in &lapsed.failed {
        // The row is locked, so that it cannot have changed since.
        if let Some(upload) = jobs::lock_upload(connection, &job.tenant, job.upload_id).await? {
            jobs::follow_jobs(connection, upload, TOO_MANY_ATTEMPTS, now, notified).await?;
        }
    }
    Ok(lapsed)
}
