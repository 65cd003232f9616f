//! The outbox: events that SNS has not taken yet.
//!
//! A claim is a lease ([`store::lease`](crate::store::lease)) and commits before anything is sent. A
//! relay that dies in between loses nothing: the event is free again when the lease ends. What
//! becomes of a claim is written under its lease: a relay that was too slow, and whose events
//! another one has claimed since, changes nothing of them. That SNS took an event is true whoever
//! says so, and needs no lease. `due_at` is the back-off of an event that was refused.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Timestamptz};
use diesel_async::RunQueryDsl;
use serde_json::Value;
use uuid::Uuid;

use super::lease::{Lease, end_of, impl_renew_leases, is_free};
use super::schema::events;
use super::{Connection, Result};

diesel::define_sql_function! {
    /// The first of the two that is there.
    fn coalesce(one: Nullable<Timestamptz>, other: Nullable<Timestamptz>) -> Nullable<Timestamptz>;
}

/// An event that waits for SNS.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = events, check_for_backend(diesel::pg::Pg))]
pub struct OutboxEvent {
    /// Deduplicates deliveries.
    pub id: Uuid,
    /// Groups and orders deliveries.
    pub upload_id: Uuid,
    /// 1, 2, 3 … of that upload.
    pub sequence: i32,
    /// Tenants it is.
    pub tenant: String,
    /// The event type.
    pub kind: String,
    /// When it happened.
    pub at: DateTime<Utc>,
    /// The facts.
    pub data: Value,
    /// How often it was claimed, this time included.
    pub attempts: i32,
    /// When it was asked for again; nothing where it is sent for the first time.
    pub replayed_at: Option<DateTime<Utc>>,
}

/// Claims up to `limit` events under `lease`, the longest due first. An upload's next event is not
/// claimed before the last one is published (or given up), so that they leave in order.
pub async fn lease_due_events(
    connection: &mut Connection,
    now: DateTime<Utc>,
    lease: &Lease,
    limit: i64,
) -> Result<Vec<OutboxEvent>> {
    let earlier = diesel::alias!(events as earlier);
    // `coalesce`, not two tests for null: these would let the planner read the whole index of what
    // waits for each row, which it takes for an empty one while its statistics are from a quiet
    // time. Without them it finds the upload's other events by their own index.
    let settled = coalesce(
        earlier.field(events::published_at),
        earlier.field(events::undeliverable_at),
    );
    let blocked = earlier
        .filter(earlier.field(events::upload_id).eq(events::upload_id))
        .filter(earlier.field(events::sequence).lt(events::sequence))
        .filter(earlier.field(events::notify))
        .filter(settled.is_null());
    let due: Vec<Uuid> = events::table
        .filter(events::notify)
        .filter(events::published_at.is_null())
        .filter(events::undeliverable_at.is_null())
        .filter(events::due_at.le(now))
        .filter(is_free!(events, lease))
        .filter(diesel::dsl::not(diesel::dsl::exists(blocked)))
        .order((events::due_at, events::id))
        .limit(limit)
        .for_update()
        .skip_locked()
        .select(events::id)
        .load(connection)
        .await?;
    if due.is_empty() {
        return Ok(Vec::new());
    }
    let mut claimed: Vec<OutboxEvent> =
        diesel::update(events::table.filter(events::id.eq_any(due)))
            .set((
                events::holder.eq(lease.token()),
                events::leased_until.eq(end_of!(lease)),
                events::attempts.eq(events::attempts + 1),
            ))
            .returning(OutboxEvent::as_returning())
            .get_results(connection)
            .await?;
    claimed.sort_by_key(|event| event.id);
    Ok(claimed)
}

impl_renew_leases!(events, id, Uuid);

/// SNS took these.
pub async fn mark_published(
    connection: &mut Connection,
    ids: &[Uuid],
    at: DateTime<Utc>,
) -> Result<()> {
    diesel::update(events::table.filter(events::id.eq_any(ids)))
        .set((
            events::published_at.eq(at),
            events::undeliverable_at.eq(None::<DateTime<Utc>>),
            events::last_error.eq(None::<String>),
            WithoutLease::default(),
        ))
        .execute(connection)
        .await?;
    Ok(())
}

/// SNS will never take this one, claimed under `lease`: it is not tried again, and later events of
/// its upload go on. Whether it still was this claim's.
pub async fn mark_undeliverable(
    connection: &mut Connection,
    id: Uuid,
    lease: &Lease,
    at: DateTime<Utc>,
    reason: &str,
) -> Result<bool> {
    let row = events::table
        .filter(events::id.eq(id))
        .filter(events::holder.eq(lease.token()))
        .filter(events::published_at.is_null());
    let marked = diesel::update(row)
        .set((
            events::undeliverable_at.eq(at),
            events::last_error.eq(reason),
            WithoutLease::default(),
        ))
        .execute(connection)
        .await?;
    Ok(marked == 1)
}

/// SNS did not take these, claimed under `lease`: they fall due again at `due_at`. Without a
/// reason they were not even tried, and an older reason stays.
pub async fn reschedule(
    connection: &mut Connection,
    ids: &[Uuid],
    lease: &Lease,
    due_at: DateTime<Utc>,
    reason: Option<&str>,
) -> Result<()> {
    let rows = events::table
        .filter(events::id.eq_any(ids))
        .filter(events::holder.eq(lease.token()));
    diesel::update(rows)
        .set((
            events::due_at.eq(due_at),
            WithoutLease::default(),
            reason.map(|reason| events::last_error.eq(reason)),
        ))
        .execute(connection)
        .await?;
    Ok(())
}

/// The columns of an event that no lease holds.
#[derive(AsChangeset, Default)]
#[diesel(table_name = events, treat_none_as_null = true)]
struct WithoutLease {
    holder: Option<Uuid>,
    leased_until: Option<DateTime<Utc>>,
}

/// How many events wait, and since when the oldest does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, QueryableByName)]
pub struct Backlog {
    /// Events.
    #[diesel(sql_type = BigInt)]
    pub depth: i64,
    /// When the oldest of them happened, or was asked for again.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub oldest: Option<DateTime<Utc>>,
}

/// See [`Backlog`]: of all replicas together, without what was given up. Counts up to `most` and
/// no further, so that a long outage of SNS does not make the question slow; the age is a single
/// look into an index.
pub async fn backlog(connection: &mut Connection, most: i64) -> Result<Backlog> {
    // In the words of the index `events_waiting_since`.
    let waits = "FROM events WHERE notify AND least(published_at, undeliverable_at) IS NULL";
    diesel::sql_query(format!(
        "SELECT (SELECT count(*) FROM (SELECT 1 {waits} LIMIT $1) AS counted) AS depth, \
         (SELECT min(coalesce(replayed_at, at)) {waits}) AS oldest"
    ))
    .bind::<BigInt, _>(most)
    .get_result(connection)
    .await
}
