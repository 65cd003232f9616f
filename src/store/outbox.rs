//! The outbox: events that SNS has not taken yet.
//!
//! `due_at` is the lease and the back-off in one: a claim moves it into the future and commits
//! before anything is sent. A relay that dies in between loses nothing, the event falls due again.

use chrono::{DateTime, Utc};
use diesel::dsl::{count_star, min};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde_json::Value;
use uuid::Uuid;

use super::schema::events;
use super::{Connection, Result};

/// An event that waits for SNS.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = events, check_for_backend(diesel::pg::Pg))]
pub struct Outgoing {
    /// Deduplicates deliveries.
    pub id: Uuid,
    /// Groups and orders deliveries.
    pub upload_id: Uuid,
    /// 1, 2, 3 … of that upload.
    pub sequence: i32,
    /// Whose it is.
    pub tenant: String,
    /// The event type.
    pub kind: String,
    /// When it happened.
    pub at: DateTime<Utc>,
    /// The facts.
    pub data: Value,
    /// How often it was claimed, this time included.
    pub attempts: i32,
}

/// Claims up to `limit` events until `lease`, the oldest first. An upload's next event is not
/// claimed before the last one is published, so that they leave in order.
pub async fn claim(
    connection: &mut Connection,
    now: DateTime<Utc>,
    lease: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<Outgoing>> {
    let earlier = diesel::alias!(events as earlier);
    let blocked = earlier
        .filter(earlier.field(events::upload_id).eq(events::upload_id))
        .filter(earlier.field(events::sequence).lt(events::sequence))
        .filter(earlier.field(events::notify))
        .filter(earlier.field(events::published_at).is_null());
    let due: Vec<Uuid> = events::table
        .filter(events::notify)
        .filter(events::published_at.is_null())
        .filter(events::due_at.le(now))
        .filter(diesel::dsl::not(diesel::dsl::exists(blocked)))
        .order((events::due_at, events::id))
        .limit(limit)
        .for_update()
        .skip_locked()
        .select(events::id)
        .load(connection)
        .await?;
    let mut claimed: Vec<Outgoing> = diesel::update(events::table.filter(events::id.eq_any(due)))
        .set((
            events::due_at.eq(lease),
            events::attempts.eq(events::attempts + 1),
        ))
        .returning(Outgoing::as_returning())
        .get_results(connection)
        .await?;
    claimed.sort_by_key(|event| event.id);
    Ok(claimed)
}

/// SNS took these.
pub async fn mark_published(
    connection: &mut Connection,
    ids: &[Uuid],
    at: DateTime<Utc>,
) -> Result<()> {
    diesel::update(events::table.filter(events::id.eq_any(ids)))
        .set((
            events::published_at.eq(at),
            events::last_error.eq(None::<String>),
        ))
        .execute(connection)
        .await?;
    Ok(())
}

/// SNS did not take this one: it falls due again at `due_at`.
pub async fn put_back(
    connection: &mut Connection,
    id: Uuid,
    due_at: DateTime<Utc>,
    reason: &str,
) -> Result<()> {
    diesel::update(events::table.filter(events::id.eq(id)))
        .set((events::due_at.eq(due_at), events::last_error.eq(reason)))
        .execute(connection)
        .await?;
    Ok(())
}

/// How many events wait, and since when the oldest does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backlog {
    /// Events.
    pub depth: i64,
    /// When the oldest of them happened.
    pub oldest: Option<DateTime<Utc>>,
}

/// See [`Backlog`].
pub async fn backlog(connection: &mut Connection) -> Result<Backlog> {
    let (depth, oldest) = events::table
        .filter(events::notify)
        .filter(events::published_at.is_null())
        .select((count_star(), min(events::at)))
        .first(connection)
        .await?;
    Ok(Backlog { depth, oldest })
}
