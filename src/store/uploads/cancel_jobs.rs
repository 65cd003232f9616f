//! Cancels the jobs of uploads that are over.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::domain::job::JobStatus;
use crate::store::schema::jobs;
use crate::store::{Connection, Result};

/// Cancels the queued and running jobs of uploads, whose rows the caller has locked. A worker that
/// still works on one of them loses its lease.
pub(super) async fn cancel_open(
    connection: &mut Connection,
    uploads: &[Uuid],
    now: DateTime<Utc>,
) -> Result<()> {
    let open = jobs::table
        .filter(jobs::upload_id.eq_any(uploads))
        .filter(jobs::status.eq_any([JobStatus::Queued.as_str(), JobStatus::Running.as_str()]));
    diesel::update(open)
        .set((
            jobs::status.eq(JobStatus::Cancelled.as_str()),
            jobs::holder.eq(None::<Uuid>),
            jobs::leased_until.eq(None::<DateTime<Utc>>),
            jobs::message.eq("The dataset was replaced or deleted."),
            jobs::ended_at.eq(now),
            jobs::updated_at.eq(now),
        ))
        .execute(connection)
        .await?;
    Ok(())
}
