//! Deletion of old rows, a limited number at a time.
//!
//! Rows that another transaction has locked are skipped. An event that still waits for SNS or for an
//! enabled webhook is never deleted, and neither is its upload; an event that SNS will never accept,
//! or that only disabled webhooks have not got, is deleted like any other, with its deliveries.
//!
//! A replay may queue an event again after a statement here has found it, and before it is locked. So
//! the events are locked first, and what they wait for is read again while they are: from then on, a
//! replay waits for the end of the transaction, and leaves out what was deleted.

use chrono::{DateTime, Utc};
use diesel::dsl::{count_star, not, sql};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Double, Nullable, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::{Builder, Uuid};

use super::schema::{events, idempotency_entries, idempotency_keys, uploads};
use super::{Connection, Result};

/// SQL: whether an upload may be deleted, in the exact words of the index `uploads_removable`.
///
/// These are ended uploads that had their final check, if they need one. Kept are uploads whose
/// proven object still exists (`Error` of processing), and those that may have left a wrong object,
/// because deleting that object needs the row.
const REMOVABLE: &str = "(uploads.status = 'Superseded' \
     OR uploads.status = 'Expired' AND uploads.error_code IS DISTINCT FROM 'object-mismatch' \
     OR uploads.status IN ('Deleted', 'Cancelled') AND uploads.settled_at IS NOT NULL \
     OR uploads.status = 'Error' AND uploads.settled_at IS NOT NULL \
        AND uploads.uploaded_at IS NULL \
        AND uploads.error_code IS DISTINCT FROM 'object-mismatch')";
/// SQL: whether an upload has no event that waits to be published, or waits for an enabled webhook.
const ALL_PUBLISHED: &str = "NOT EXISTS (SELECT FROM events WHERE events.upload_id = uploads.id \
     AND events.notify AND events.published_at IS NULL AND events.undeliverable_at IS NULL) \
     AND NOT EXISTS (SELECT FROM events \
     JOIN webhook_deliveries ON webhook_deliveries.event_id = events.id \
     JOIN webhooks ON webhooks.id = webhook_deliveries.webhook_id \
     WHERE events.upload_id = uploads.id AND webhooks.disabled_at IS NULL)";
/// SQL: whether an event waits for no enabled webhook.
const ALL_DELIVERED: &str = "NOT EXISTS (SELECT FROM webhook_deliveries \
     JOIN webhooks ON webhooks.id = webhook_deliveries.webhook_id \
     WHERE webhook_deliveries.event_id = events.id AND webhooks.disabled_at IS NULL)";
/// SQL: the tenants with a retention time, and the time before which their uploads are old. `$1` is
/// the current time, and `$2` is the default retention time in seconds, which may be NULL.
const ENDS: &str = "(SELECT name, \
     $1 - make_interval(secs => coalesce(retention_days * 86400.0::float8, $2)) AS before \
     FROM tenants WHERE coalesce(retention_days * 86400.0::float8, $2) IS NOT NULL) AS ends";

/// Deletes at most `limit` events that happened before `before`, and returns how many. Call it inside
/// a transaction.
pub async fn remove_events(
    connection: &mut Connection,
    before: DateTime<Utc>,
    limit: i64,
) -> Result<usize> {
    let old: Vec<Uuid> = events::table
        .filter(old_events(before, first_id(before)))
        .filter(sql::<Bool>(ALL_DELIVERED))
        .order(events::id)
        .limit(limit)
        .for_update()
        .skip_locked()
        .select(events::id)
        .load(connection)
        .await?;
    let still_old = events::table
        .filter(events::id.eq_any(old))
        .filter(sql::<Bool>(ALL_DELIVERED));
    diesel::delete(still_old).execute(connection).await
}

/// Counts the events that [`remove_events`] would delete in total.
pub async fn count_events(connection: &mut Connection, before: DateTime<Utc>) -> Result<i64> {
    events::table
        .filter(old_events(before, first_id(before)))
        .filter(sql::<Bool>(ALL_DELIVERED))
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

/// Deletes at most `limit` uploads that ended longer ago than their retention time, with their
/// events and idempotency keys, and returns how many.
///
/// The retention time is that of their tenant, or else `default_seconds`; without either they are
/// kept for ever. Call it inside a transaction.
pub async fn remove_uploads(
    connection: &mut Connection,
    now: DateTime<Utc>,
    default_seconds: Option<f64>,
    limit: i64,
) -> Result<usize> {
    // One index lookup for each tenant; rows that a tenant keeps for longer are not read.
    let old: Vec<Old> = diesel::sql_query(format!(
        "SELECT old.id FROM {ENDS} CROSS JOIN LATERAL ( \
         SELECT id FROM uploads WHERE uploads.tenant = ends.name \
         AND uploads.updated_at < ends.before AND {REMOVABLE} AND {ALL_PUBLISHED} \
         ORDER BY uploads.updated_at LIMIT $3 FOR UPDATE SKIP LOCKED) AS old LIMIT $3"
    ))
    .bind::<Timestamptz, _>(now)
    .bind::<Nullable<Double>, _>(default_seconds)
    .bind::<BigInt, _>(limit)
    .load(connection)
    .await?;
    let old: Vec<Uuid> = old.into_iter().map(|old| old.id).collect();
    let old = still_published(connection, &old).await?;
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

/// Locks the events of uploads, and returns those uploads that still have no event that waits.
async fn still_published(connection: &mut Connection, old: &[Uuid]) -> Result<Vec<Uuid>> {
    let _locked: Vec<Uuid> = events::table
        .filter(events::upload_id.eq_any(old))
        .order(events::id)
        .for_update()
        .select(events::id)
        .load(connection)
        .await?;
    uploads::table
        .filter(uploads::id.eq_any(old))
        .filter(sql::<Bool>(ALL_PUBLISHED))
        .select(uploads::id)
        .load(connection)
        .await
}

/// Counts the uploads that [`remove_uploads`] would delete in total.
pub async fn count_uploads(
    connection: &mut Connection,
    now: DateTime<Utc>,
    default_seconds: Option<f64>,
) -> Result<i64> {
    let count: Count = diesel::sql_query(format!(
        "SELECT count(*) AS count FROM {ENDS} JOIN uploads ON uploads.tenant = ends.name \
         AND uploads.updated_at < ends.before AND {REMOVABLE} AND {ALL_PUBLISHED}"
    ))
    .bind::<Timestamptz, _>(now)
    .bind::<Nullable<Double>, _>(default_seconds)
    .get_result(connection)
    .await?;
    Ok(count.count)
}

/// Returns the smallest id of the millisecond of `at`. Ids start with their time, so that the
/// primary key can be used to search by time.
pub(super) fn first_id(at: DateTime<Utc>) -> Uuid {
    let millis = u64::try_from(at.timestamp_millis()).unwrap_or_default();
    Builder::from_unix_timestamp_millis(millis, &[0; 10]).into_uuid()
}

#[diesel::dsl::auto_type(no_type_alias)]
fn old_events(before: DateTime<Utc>, first: Uuid) -> _ {
    let is_waiting = events::notify
        .and(events::published_at.is_null())
        .and(events::undeliverable_at.is_null());
    events::id
        .lt(first)
        .and(events::at.lt(before))
        .and(not(is_waiting))
}
