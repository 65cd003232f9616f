//! The table `sweeps`: the progress of the comparison of each bucket with the rows, and the lease
//! of the process that makes it.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::lease::{Lease, impl_renew_leases, is_free, lease_expiry};
use super::schema::sweeps;
use super::{Connection, Result};

/// The outcome of leasing a sweep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LeaseResult {
    /// The caller holds the lease.
    Leased {
        /// The key to continue after; `None` to start at the beginning.
        position: Option<String>,
    },
    /// Another process holds the lease.
    HeldElsewhere,
    /// The last sweep ended recently.
    NotDue,
}

/// Leases the sweep of `bucket`, unless another process holds an unexpired lease. A sweep that was
/// started is continued; a new one is started at `now` if the last one ended before `ended_before`.
pub async fn lease_sweep(
    connection: &mut Connection,
    bucket: &str,
    lease: &Lease,
    now: DateTime<Utc>,
    ended_before: DateTime<Utc>,
) -> Result<LeaseResult> {
    diesel::insert_into(sweeps::table)
        .values(sweeps::bucket.eq(bucket))
        .on_conflict_do_nothing()
        .execute(connection)
        .await?;
    let due = sweeps::started_at
        .is_not_null()
        .or(sweeps::finished_at.is_null())
        .or(sweeps::finished_at.assume_not_null().le(ended_before));
    let started = diesel::dsl::case_when(
        sweeps::started_at.is_null(),
        now.into_sql::<diesel::sql_types::Nullable<diesel::sql_types::Timestamptz>>(),
    )
    .otherwise(sweeps::started_at);
    let leased: Option<Option<String>> = diesel::update(sweeps::table.find(bucket))
        .filter(is_free!(sweeps, lease))
        .filter(due)
        .set((
            sweeps::started_at.eq(started),
            sweeps::holder.eq(lease.token()),
            sweeps::leased_until.eq(lease_expiry!(lease)),
        ))
        .returning(sweeps::position)
        .get_result(connection)
        .await
        .optional()?;
    if let Some(position) = leased {
        return Ok(LeaseResult::Leased { position });
    }
    let is_held: bool = sweeps::table
        .find(bucket)
        .select(sweeps::leased_until.is_not_null())
        .first(connection)
        .await?;
    Ok(if is_held {
        LeaseResult::HeldElsewhere
    } else {
        LeaseResult::NotDue
    })
}

impl_renew_leases!(sweeps, bucket, &str => String);

/// Stores the progress and renews the lease. Returns `false` if another process has taken over the
/// lease.
pub async fn advance(
    connection: &mut Connection,
    bucket: &str,
    lease: &Lease,
    position: Option<&str>,
) -> Result<bool> {
    let rows = diesel::update(sweeps::table.find(bucket))
        .filter(sweeps::holder.eq(lease.token()))
        .set((
            sweeps::position.eq(position),
            sweeps::leased_until.eq(lease_expiry!(lease)),
        ))
        .execute(connection)
        .await?;
    Ok(rows == 1)
}

/// Releases the lease, so that another process can continue at once.
pub async fn release(connection: &mut Connection, bucket: &str, lease: &Lease) -> Result<()> {
    diesel::update(sweeps::table.find(bucket))
        .filter(sweeps::holder.eq(lease.token()))
        .set((
            sweeps::holder.eq(None::<Uuid>),
            sweeps::leased_until.eq(None::<DateTime<Utc>>),
        ))
        .execute(connection)
        .await?;
    Ok(())
}

/// Records that the sweep is finished. Returns `false` if another process has taken over the lease.
pub async fn finish(
    connection: &mut Connection,
    bucket: &str,
    lease: &Lease,
    at: DateTime<Utc>,
) -> Result<bool> {
    let rows = diesel::update(sweeps::table.find(bucket))
        .filter(sweeps::holder.eq(lease.token()))
        .set((
            sweeps::started_at.eq(None::<DateTime<Utc>>),
            sweeps::position.eq(None::<String>),
            sweeps::finished_at.eq(at),
            sweeps::holder.eq(None::<Uuid>),
            sweeps::leased_until.eq(None::<DateTime<Utc>>),
        ))
        .execute(connection)
        .await?;
    Ok(rows == 1)
}
