//! Letting go of what is old, a bounded number of rows at a time.
//!
//! Rows that somebody else works with are skipped, not waited for. An event that still waits for
//! SNS is never old, and neither is an upload with one; one that SNS will never take is as old as
//! any other.

use chrono::{DateTime, Utc};
use diesel::dsl::{count_star, exists, not, sql};
use diesel::prelude::*;
use diesel::sql_types::{Array, Bool, Text};
use diesel_async::RunQueryDsl;
use uuid::{Builder, Uuid};

use super::schema::{events, idempotency_entries, idempotency_keys, uploads};
use super::{Connection, Result};
use crate::domain::refusal::Code;

/// The words of the index `uploads_ended`.
const ENDED: &str = "uploads.status IN ('Deleted', 'Cancelled', 'Expired', 'Superseded', 'Error')";
/// Looked at for the last time, where there is such a look.
const SETTLED: &str =
    "(uploads.status NOT IN ('Deleted', 'Cancelled', 'Error') OR uploads.settled_at IS NOT NULL)";
/// Nothing is proven to stand there: not what processing failed at.
const UNPROVEN: &str = "(uploads.status <> 'Error' OR uploads.uploaded_at IS NULL)";
/// Uploads that an object may still stand for, so that a delete needs the row.
const MAY_HAVE_AN_OBJECT: &str = "uploads.status IN ('Error', 'Expired')";

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

/// Whose uploads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Whose {
    /// Tenants.
    pub names: Vec<String>,
    /// Whether it is theirs, or everybody else's.
    pub theirs: bool,
}

/// Whether an upload is [`Whose`].
macro_rules! is_of {
    ($whose:expr) => {
        sql::<Bool>("(uploads.tenant = ANY(")
            .bind::<Array<Text>, _>(&$whose.names)
            .sql(")) = ")
            .bind::<Bool, _>($whose.theirs)
    };
}

/// Removes at most `limit` uploads that ended before `before`, with their events and idempotency
/// keys, and says how many. Call it inside a transaction.
pub async fn remove_uploads(
    connection: &mut Connection,
    whose: &Whose,
    before: DateTime<Utc>,
    limit: i64,
) -> Result<usize> {
    let old: Vec<Uuid> = uploads::table
        .filter(old_uploads(before))
        .filter(is_of!(whose))
        .order(uploads::updated_at)
        .limit(limit)
        .for_update()
        .skip_locked()
        .select(uploads::id)
        .load(connection)
        .await?;
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
    whose: &Whose,
    before: DateTime<Utc>,
) -> Result<i64> {
    uploads::table
        .filter(old_uploads(before))
        .filter(is_of!(whose))
        .select(count_star())
        .first(connection)
        .await
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

#[diesel::dsl::auto_type(no_type_alias)]
fn old_uploads(before: DateTime<Utc>) -> _ {
    let waiting = events::table
        .filter(events::upload_id.eq(uploads::id))
        .filter(events::notify)
        .filter(events::published_at.is_null())
        .filter(events::undeliverable_at.is_null());
    let wrong: &'static str = Code::ObjectMismatch.as_str();
    let may_have_an_object: diesel::expression::SqlLiteral<Bool> = sql::<Bool>(MAY_HAVE_AN_OBJECT);
    let wrong_object = uploads::error_code.assume_not_null().eq(wrong);
    let ended: diesel::expression::SqlLiteral<Bool> = sql::<Bool>(ENDED);
    let settled: diesel::expression::SqlLiteral<Bool> = sql::<Bool>(SETTLED);
    let unproven: diesel::expression::SqlLiteral<Bool> = sql::<Bool>(UNPROVEN);
    ended
        .and(uploads::updated_at.lt(before))
        .and(settled)
        .and(unproven)
        .and(not(may_have_an_object
            .and(uploads::error_code.is_not_null())
            .and(wrong_object)))
        .and(not(exists(waiting)))
}
