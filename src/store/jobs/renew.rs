//! Renews the lease of a job, with its progress.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::row::Row;
use crate::domain::job::{Job, JobStatus};
use crate::store::lease::{Lease, lease_expiry};
use crate::store::schema::jobs;
use crate::store::{Connection, Result};

/// Renews `lease` on a running job, and records what its worker reports. A `progress` or a
/// `message` that is `None` leaves the last one. Returns `None`, without changes, if the job no
/// longer has the lease. A lease that has ended, and that no other worker took over, is valid
/// again.
pub async fn renew(
    connection: &mut Connection,
    id: Uuid,
    lease: &Lease,
    progress: Option<f64>,
    message: Option<&str>,
    now: DateTime<Utc>,
) -> Result<Option<Job>> {
    let row = jobs::table
        .filter(jobs::id.eq(id))
        .filter(jobs::status.eq(JobStatus::Running.as_str()))
        .filter(jobs::holder.eq(lease.token()));
    let row: Option<Row> = diesel::update(row)
        .set((
            jobs::leased_until.eq(lease_expiry!(lease)),
            jobs::updated_at.eq(now),
            progress.map(|progress| jobs::progress.eq(progress)),
            message.map(|message| jobs::message.eq(message)),
        ))
        .returning(Row::as_returning())
        .get_result(connection)
        .await
        .optional()?;
    row.map(Row::into_job).transpose()
}
