//! The table `sweeps`: how far the comparison of a bucket with the rows is, and who is at it.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::lease::{Lease, end_of, impl_renew_leases, is_free};
use super::schema::sweeps;
use super::{Connection, Result};

/// What became of the wish to sweep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LeaseResult {
    /// The sweep is the caller's.
    Leased {
        /// Where it goes on; at the start, where nothing is compared yet.
        position: Option<String>,
    },
    /// Somebody else is at it.
    HeldElsewhere,
    /// The last one is not long ago.
    NotDue,
}

/// Takes the sweep of `bucket` under `lease`, unless a living one holds it. One that began is gone on
/// with; a new one begins at `now` where the last one ended before `ended_before`.
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
    let ours: Option<Option<String>> = diesel::update(sweeps::table.find(bucket))
        .filter(is_free!(sweeps, lease))
        .filter(due)
        .set((
            sweeps::started_at.eq(started),
            sweeps::holder.eq(lease.token()),
            sweeps::leased_until.eq(end_of!(lease)),
        ))
        .returning(sweeps::position)
        .get_result(connection)
        .await
        .optional()?;
    if let Some(position) = ours {
        return Ok(LeaseResult::Leased { position });
    }
    let held: bool = sweeps::table
        .find(bucket)
        .select(sweeps::leased_until.is_not_null())
        .first(connection)
        .await?;
    Ok(if held {
        LeaseResult::HeldElsewhere
    } else {
        LeaseResult::NotDue
    })
}

impl_renew_leases!(sweeps, bucket, &str => String);

/// Notes how far it is, and renews the lease. `false` where another process has taken over.
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
            sweeps::leased_until.eq(end_of!(lease)),
        ))
        .execute(connection)
        .await?;
    Ok(rows == 1)
}

/// Gives it back: another process may go on at once.
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

/// Notes that it is through. `false` where another process has taken over.
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
