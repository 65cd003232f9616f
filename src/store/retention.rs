//! Letting go of what is old, a bounded number of rows at a time.
//!
//! Rows that somebody else works with are skipped, not waited for. An event that still waits for
//! SNS is never old, and neither is an upload with one; one that SNS will never take is as old as
//! any other.

use chrono::{DateTime, Utc};
use diesel::dsl::{count_star, not};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Double, Nullable, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::{Builder, Uuid};

use super::schema::{events, idempotency_entries, idempotency_keys, uploads};
use super::{Connection, Result};

/// What may go, in the words of the index `uploads_removable`: uploads that ended, and that had
/// their last look where there is one. Stays what is proven to stand there (`Error` of processing),
/// and what a wrong object may still stand for, as a delete needs the row.
const REMOVABLE: &str = "(uploads.status = 'Superseded' \
     OR uploads.status = 'Expired' AND uploads.error_code IS DISTINCT FROM 'object-mismatch' \
     OR uploads.status IN ('Deleted', 'Cancelled') AND uploads.settled_at IS NOT NULL \
     OR uploads.status = 'Error' AND uploads.settled_at IS NOT NULL \
        AND uploads.uploaded_at IS NULL \
        AND uploads.error_code IS DISTINCT FROM 'object-mismatch')";
/// Has no event that SNS waits for.
const TOLD: &str = "NOT EXISTS (SELECT FROM events WHERE events.upload_id = uploads.id \
     AND events.notify AND events.published_at IS NULL AND events.undeliverable_at IS NULL)";
/// Tenants whose uploads go one day, and since when: by their own time ($1 is the present), or by
/// the one of all others in seconds ($2), which may be none.
const ENDS: &str = "(SELECT name, \
     $1 - make_interval(secs => coalesce(retention_days * 86400.0::float8, $2)) AS before \
     FROM tenants WHERE coalesce(retention_days * 86400.0::float8, $2) IS NOT NULL) AS ends";

/// Removes at most `limit` events that happened before `before`, and says how many.
pub async fn remove_events(
    connection: &mut Connection,
    before: DateTime<Utc>,
    limit: i64,
) -> Result<usize> {
    let old: Vec<Uuid> = events::table
        .filter(old_events(before, first_id(before)))
        .order(events::id)
        .limit(limit)
        .for_update()
        .skip_locked()
        .select(events::id)
        .load(connection)
        .await?;
    diesel::delete(events::table.filter(events::id.eq_any(old)))
        .execute(connection)
        .await
}

/// How many events [`remove_events`] would remove in the end.
pub async fn count_events(connection: &mut Connection, before: DateTime<Utc>) -> Result<i64> {
    events::table
        .filter(old_events(before, first_id(before)))
        .select(count_star())
        .first(connection)
        .await
}

#[derive(QueryableByName)]
struct Old {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

/// Removes at most `limit` uploads that ended longer ago than they are kept: for the time of their
/// tenant, else for `kept` seconds, else for ever. Their events and idempotency keys go with them.
/// Says how many; call it inside a transaction.
pub async fn remove_uploads(
    connection: &mut Connection,
    now: DateTime<Utc>,
    kept: Option<f64>,
    limit: i64,
) -> Result<usize> {
    // One look into the index for each tenant; what one of them keeps for longer is not read.
    let old: Vec<Old> = diesel::sql_query(format!(
        "SELECT old.id FROM {ENDS} CROSS JOIN LATERAL ( \
         SELECT id FROM uploads WHERE uploads.tenant = ends.name \
         AND uploads.updated_at < ends.before AND {REMOVABLE} AND {TOLD} \
         ORDER BY uploads.updated_at LIMIT $3 FOR UPDATE SKIP LOCKED) AS old LIMIT $3"
    ))
    .bind::<Timestamptz, _>(now)
    .bind::<Nullable<Double>, _>(kept)
    .bind::<BigInt, _>(limit)
    .load(connection)
    .await?;
    let old: Vec<Uuid> = old.into_iter().map(|old| old.id).collect();
    diesel::delete(idempotency_entries::table.filter(idempotency_entries::upload_id.eq_any(&old)))
        .execute(connection)
        .await?;
    diesel::delete(idempotency_keys::table.filter(idempotency_keys::upload_id.eq_any(&old)))
        .execute(connection)
        .await?;
    diesel::delete(events::table.filter(events::upload_id.eq_any(&old)))
        .execute(connection)
        .await?;
    diesel::delete(uploads::table.filter(uploads::id.eq_any(&old)))
        .execute(connection)
        .await
}

/// How many uploads [`remove_uploads`] would remove in the end.
pub async fn count_uploads(
    connection: &mut Connection,
    now: DateTime<Utc>,
    kept: Option<f64>,
) -> Result<i64> {
    let count: Count = diesel::sql_query(format!(
        "SELECT count(*) AS count FROM {ENDS} JOIN uploads ON uploads.tenant = ends.name \
         AND uploads.updated_at < ends.before AND {REMOVABLE} AND {TOLD}"
    ))
    .bind::<Timestamptz, _>(now)
    .bind::<Nullable<Double>, _>(kept)
    .get_result(connection)
    .await?;
    Ok(count.count)
}

/// Ids are made from the time, so that the primary key finds old events.
pub(super) fn first_id(at: DateTime<Utc>) -> Uuid {
    let millis = u64::try_from(at.timestamp_millis()).unwrap_or_default();
    Builder::from_unix_timestamp_millis(millis, &[0; 10]).into_uuid()
}

#[diesel::dsl::auto_type(no_type_alias)]
fn old_events(before: DateTime<Utc>, first: Uuid) -> _ {
    let waits = events::notify
        .and(events::published_at.is_null())
        .and(events::undeliverable_at.is_null());
    events::id
        .lt(first)
        .and(events::at.lt(before))
        .and(not(waits))
}
