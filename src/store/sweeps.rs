//! The table `sweeps`: how far the comparison of a bucket with the rows is, and who is at it.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::schema::sweeps;
use super::{Connection, Result};

/// What became of the wish to sweep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    /// The sweep is the caller's.
    Ours {
        /// Where it goes on; at the start, where nothing is compared yet.
        position: Option<String>,
    },
    /// Somebody else is at it.
    Elsewhere,
    /// The last one is not long ago.
    NotDue,
}

/// Takes the sweep of `bucket` until `lease`, unless somebody holds it at `now`. One that began is
/// gone on with; a new one begins where the last one ended before `ended_before`.
pub async fn claim(
    connection: &mut Connection,
    bucket: &str,
    holder: Uuid,
    now: DateTime<Utc>,
    lease: DateTime<Utc>,
    ended_before: DateTime<Utc>,
) -> Result<Claim> {
    diesel::insert_into(sweeps::table)
        .values(sweeps::bucket.eq(bucket))
        .on_conflict_do_nothing()
        .execute(connection)
        .await?;
    let free = sweeps::leased_until
        .is_null()
        .or(sweeps::leased_until.assume_not_null().le(now));
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
        .filter(free)
        .filter(due)
        .set((
            sweeps::started_at.eq(started),
            sweeps::holder.eq(holder),
            sweeps::leased_until.eq(lease),
        ))
        .returning(sweeps::position)
        .get_result(connection)
        .await
        .optional()?;
    if let Some(position) = ours {
        return Ok(Claim::Ours { position });
    }
    let held: bool = sweeps::table
        .find(bucket)
        .select(sweeps::leased_until.is_not_null())
        .first(connection)
        .await?;
    Ok(if held {
        Claim::Elsewhere
    } else {
        Claim::NotDue
    })
}

/// Notes how far it is and holds it until `lease`. `false` where it is somebody else's by now.
pub async fn renew(
    connection: &mut Connection,
    bucket: &str,
    holder: Uuid,
    position: Option<&str>,
    lease: DateTime<Utc>,
) -> Result<bool> {
    let rows = diesel::update(sweeps::table.find(bucket))
        .filter(sweeps::holder.eq(holder))
        .set((
            sweeps::position.eq(position),
            sweeps::leased_until.eq(lease),
        ))
        .execute(connection)
        .await?;
    Ok(rows == 1)
}

/// Lets go of it, for anybody to go on with.
pub async fn release(connection: &mut Connection, bucket: &str, holder: Uuid) -> Result<()> {
    diesel::update(sweeps::table.find(bucket))
        .filter(sweeps::holder.eq(holder))
        .set((
            sweeps::holder.eq(None::<Uuid>),
            sweeps::leased_until.eq(None::<DateTime<Utc>>),
        ))
        .execute(connection)
        .await?;
    Ok(())
}

/// Notes that it is through.
pub async fn finish(
    connection: &mut Connection,
    bucket: &str,
    holder: Uuid,
    at: DateTime<Utc>,
) -> Result<()> {
    diesel::update(sweeps::table.find(bucket))
        .filter(sweeps::holder.eq(holder))
        .set((
            sweeps::started_at.eq(None::<DateTime<Utc>>),
            sweeps::position.eq(None::<String>),
            sweeps::finished_at.eq(at),
            sweeps::holder.eq(None::<Uuid>),
            sweeps::leased_until.eq(None::<DateTime<Utc>>),
        ))
        .execute(connection)
        .await?;
    Ok(())
}
