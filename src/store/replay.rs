//! Replay of events: events that were published are published again.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::dsl::count_star;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::schema::events;
use super::{Connection, Result};
use crate::domain::event::EventType;

/// Which events to replay: those between `since` and `until` that are not waiting to be published.
/// Conditions that are `None` do not apply.
#[derive(Clone, Copy, Debug)]
pub struct Selection {
    /// Events at or after this time.
    pub since: DateTime<Utc>,
    /// Events before this time.
    pub until: DateTime<Utc>,
    /// Only events of this type.
    pub kind: Option<EventType>,
    /// Only events of this upload.
    pub upload: Option<Uuid>,
}

/// Returns the id in the millisecond of `at` with the given lower bits.
///
/// The ids of events are UUIDv7 and start with the millisecond of their event, so that the primary
/// key can be used to search by time.
pub(super) fn id_at(at: DateTime<Utc>, low_bits: u128) -> Uuid {
    let millis = u128::try_from(at.timestamp_millis()).unwrap_or_default();
    Uuid::from_u128((millis << 80) | low_bits)
}

/// A mask of the bits of an id below its millisecond.
pub(super) const LOW_BITS: u128 = (1 << 80) - 1;

/// The largest id in the same millisecond.
fn end_of_millisecond(id: Uuid) -> Uuid {
    Uuid::from_u128(id.as_u128() | LOW_BITS)
}

/// A query for events.
pub(super) type EventQuery = events::BoxedQuery<'static, diesel::pg::Pg>;

/// Returns the id that ends a batch of about `limit` of these events; `None` if there are fewer. It is
/// the last one of its millisecond.
pub(super) async fn find_end_of_batch(
    connection: &mut Connection,
    query: EventQuery,
    limit: i64,
) -> Result<Option<Uuid>> {
    let last: Option<Uuid> = query
        .order(events::id)
        .offset(limit - 1)
        .limit(1)
        .select(events::id)
        .first(connection)
        .await
        .optional()?;
    Ok(last.map(end_of_millisecond))
}

fn select(selection: &Selection, after: Uuid) -> EventQuery {
    let mut query = events::table
        .filter(events::notify)
        .filter((events::published_at.is_not_null()).or(events::undeliverable_at.is_not_null()))
        .filter(events::at.ge(selection.since))
        .filter(events::at.lt(selection.until))
        .filter(events::id.gt(after))
        .filter(events::id.le(id_at(selection.until, LOW_BITS)))
        .into_boxed();
    if let Some(kind) = selection.kind {
        query = query.filter(events::kind.eq(kind.as_str()));
    }
    if let Some(upload) = selection.upload {
        query = query.filter(events::upload_id.eq(upload));
    }
    query
}

/// Returns the id directly before the first possible event at or after `since`, after which a replay
/// starts.
pub fn start(since: DateTime<Utc>) -> Uuid {
    id_at(since - TimeDelta::milliseconds(1), LOW_BITS)
}

/// Counts the events of a selection.
pub async fn count(connection: &mut Connection, selection: &Selection) -> Result<i64> {
    select(selection, start(selection.since))
        .select(count_star())
        .first(connection)
        .await
}

/// Makes about `limit` events of the selection due again, the oldest ones after the id `after`.
/// Returns how many they were, and the id to continue after, if there may be more.
///
/// A batch always includes whole milliseconds, so that an earlier event of an upload is never in a
/// later batch.
pub async fn replay(
    connection: &mut Connection,
    selection: &Selection,
    after: Uuid,
    limit: i64,
    now: DateTime<Utc>,
) -> Result<(usize, Option<Uuid>)> {
    let end = find_end_of_batch(connection, select(selection, after), limit).await?;
    let mut batch = select(selection, after);
    if let Some(end) = end {
        batch = batch.filter(events::id.le(end));
    }
    let ids: Vec<Uuid> = batch.select(events::id).load(connection).await?;
    // The condition is checked again, because another replay may have changed rows since.
    let rows = events::table
        .filter(events::id.eq_any(ids))
        .filter((events::published_at.is_not_null()).or(events::undeliverable_at.is_not_null()));
    let due = diesel::update(rows)
        .set((
            events::due_at.eq(now),
            events::replayed_at.eq(now),
            events::published_at.eq(None::<DateTime<Utc>>),
            events::undeliverable_at.eq(None::<DateTime<Utc>>),
            events::last_error.eq(None::<String>),
        ))
        .execute(connection)
        .await?;
    Ok((due, end))
}
