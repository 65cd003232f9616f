//! The outbox: events that are not published to SNS yet.
//!
//! A relay leases events ([`store::lease`](crate::store::lease)) and commits that before it sends
//! anything. If it crashes in between, nothing is lost: the events are free again when the lease
//! expires. The outcome is written under the lease: a relay that was too slow, and whose events
//! another relay has leased since, changes nothing. Only "SNS accepted the event" is written
//! without a lease, because it is true regardless of which relay reports it. `due_at` implements
//! the back-off of an event that SNS refused.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Timestamptz};
use diesel_async::RunQueryDsl;
use serde_json::Value;
use uuid::Uuid;

use super::lease::{Lease, impl_renew_leases, is_free, lease_expiry};
use super::schema::events;
use super::{Connection, Result};

diesel::define_sql_function! {
    /// SQL: the first argument that is not NULL.
    fn coalesce(one: Nullable<Timestamptz>, other: Nullable<Timestamptz>) -> Nullable<Timestamptz>;
}

/// An event that waits to be published.
#[derive(Clone, Debug, Queryable, QueryableByName, Selectable)]
#[diesel(table_name = events, check_for_backend(diesel::pg::Pg))]
pub struct OutboxEvent {
    /// The id, by which consumers deduplicate deliveries.
    pub id: Uuid,
    /// The upload, by which deliveries are grouped and ordered.
    pub upload_id: Uuid,
    /// The position in the history of the upload, starting at 1.
    pub sequence: i32,
    /// The tenant of the upload.
    pub tenant: String,
    /// The event type.
    pub kind: String,
    /// When it happened.
    pub at: DateTime<Utc>,
    /// The state of the upload after the event.
    pub data: Value,
    /// How often the event was leased, including this time.
    pub attempts: i32,
    /// When a replay of the event was requested; `None` if it was never replayed.
    pub replayed_at: Option<DateTime<Utc>>,
    /// The trace context of what caused the event; `None` if that is not known.
    pub traceparent: Option<String>,
}

/// Leases up to `limit` due events, the longest due first. An event is not leased before the
/// previous event of its upload is published or given up, so that the events of an upload are
/// published in order.
pub async fn lease_due_events(
    connection: &mut Connection,
    now: DateTime<Utc>,
    lease: &Lease,
    limit: i64,
) -> Result<Vec<OutboxEvent>> {
    let earlier = diesel::alias!(events as earlier);
    // This uses `coalesce` instead of two NULL checks. With NULL checks the planner would read the
    // whole index of waiting events for each row, because it assumes that the index is empty if the
    // statistics are from a quiet time. With `coalesce` it finds the other events of the upload by
    // their own index.
    let finished = coalesce(
        earlier.field(events::published_at),
        earlier.field(events::undeliverable_at),
    );
    let blocked = earlier
        .filter(earlier.field(events::upload_id).eq(events::upload_id))
        .filter(earlier.field(events::sequence).lt(events::sequence))
        .filter(earlier.field(events::notify))
        .filter(finished.is_null());
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
    let mut leased: Vec<OutboxEvent> = diesel::update(events::table.filter(events::id.eq_any(due)))
        .set((
            events::holder.eq(lease.token()),
            events::leased_until.eq(lease_expiry!(lease)),
            events::attempts.eq(events::attempts + 1),
        ))
        .returning(OutboxEvent::as_returning())
        .get_results(connection)
        .await?;
    leased.sort_by_key(|event| event.id);
    Ok(leased)
}

impl_renew_leases!(events, id, Uuid);

/// Records that SNS accepted these events.
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

/// Records that SNS will never accept this event, which is leased under `lease`: it is not retried,
/// and later events of its upload may be published. Returns whether the event still had this lease.
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

/// Releases events that were not published and are leased under `lease`; they are due again at
/// `due_at`. Without a `reason` they were not sent at all, and an older reason is kept.
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

/// The lease columns of an event that is not leased.
#[derive(AsChangeset, Default)]
#[diesel(table_name = events, treat_none_as_null = true)]
struct WithoutLease {
    holder: Option<Uuid>,
    leased_until: Option<DateTime<Utc>>,
}

/// The number of waiting events and the age of the oldest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, QueryableByName)]
pub struct Backlog {
    /// The number of events.
    #[diesel(sql_type = BigInt)]
    pub depth: i64,
    /// When the oldest of them happened, or when its replay was requested.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub oldest: Option<DateTime<Utc>>,
}

/// Returns the [`Backlog`] of all replicas, without events that were given up.
///
/// It counts up to `max_depth` events, so that the query stays fast during a long outage of SNS.
/// The age needs a single index lookup.
pub async fn backlog(connection: &mut Connection, max_depth: i64) -> Result<Backlog> {
    // The condition must be the one of the index `events_waiting_since`.
    let waiting = "FROM events WHERE notify AND least(published_at, undeliverable_at) IS NULL";
    diesel::sql_query(format!(
        "SELECT (SELECT count(*) FROM (SELECT 1 {waiting} LIMIT $1) AS counted) AS depth, \
         (SELECT min(coalesce(replayed_at, at)) {waiting}) AS oldest"
    ))
    .bind::<BigInt, _>(max_depth)
    .get_result(connection)
    .await
}
