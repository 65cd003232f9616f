//! Events that are to be sent once more.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::dsl::count_star;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::schema::events;
use super::{Connection, Result};
use crate::domain::event::EventType;

/// Which events: those that happened from `since` on and before `until`, and that do not wait
/// already. What is `None` does not narrow them down.
#[derive(Clone, Copy, Debug)]
pub struct Selection {
    /// The first moment.
    pub since: DateTime<Utc>,
    /// The first moment that is too late.
    pub until: DateTime<Utc>,
    /// Of this type only.
    pub kind: Option<EventType>,
    /// Of this upload only.
    pub upload: Option<Uuid>,
}

/// A bound of ids: they are UUIDv7 and begin with the millisecond of their event (see
/// `events::append`), so that the primary key finds a time.
fn bound(at: DateTime<Utc>, rest: u128) -> Uuid {
    let millis = u128::try_from(at.timestamp_millis()).unwrap_or_default();
    Uuid::from_u128((millis << 80) | rest)
}

/// The bits of an id below its millisecond.
const REST: u128 = (1 << 80) - 1;

/// The last id that could have been made in the millisecond of this one.
fn end_of_millisecond(id: Uuid) -> Uuid {
    Uuid::from_u128(id.as_u128() | REST)
}

type Chosen = events::BoxedQuery<'static, diesel::pg::Pg>;

fn chosen(selection: &Selection, after: Uuid) -> Chosen {
    let mut query = events::table
        .filter(events::notify)
        .filter((events::published_at.is_not_null()).or(events::undeliverable_at.is_not_null()))
        .filter(events::at.ge(selection.since))
        .filter(events::at.lt(selection.until))
        .filter(events::id.gt(after))
        .filter(events::id.le(bound(selection.until, REST)))
        .into_boxed();
    if let Some(kind) = selection.kind {
        query = query.filter(events::kind.eq(kind.as_str()));
    }
    if let Some(upload) = selection.upload {
        query = query.filter(events::upload_id.eq(upload));
    }
    query
}

/// The id before the first one of a selection.
pub fn start(selection: &Selection) -> Uuid {
    bound(selection.since - TimeDelta::milliseconds(1), REST)
}

/// How many events a selection has.
pub async fn count(connection: &mut Connection, selection: &Selection) -> Result<i64> {
    chosen(selection, start(selection))
        .select(count_star())
        .first(connection)
        .await
}

/// Makes about `limit` events of the selection due again, the oldest after the id `after`: how
/// many they were, and where to go on, if anywhere. A batch ends with a whole millisecond, so that
/// an upload's earlier events are never in a later batch.
pub async fn replay(
    connection: &mut Connection,
    selection: &Selection,
    after: Uuid,
    limit: i64,
    now: DateTime<Utc>,
) -> Result<(usize, Option<Uuid>)> {
    let last: Option<Uuid> = chosen(selection, after)
        .order(events::id)
        .offset(limit - 1)
        .limit(1)
        .select(events::id)
        .first(connection)
        .await
        .optional()?;
    let end = last.map(end_of_millisecond);
    let mut batch = chosen(selection, after);
    if let Some(end) = end {
        batch = batch.filter(events::id.le(end));
    }
    let ids: Vec<Uuid> = batch.select(events::id).load(connection).await?;
    // Asked again: another replay may have been here since.
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
