//! The feed: the events of tenants in the order of their transactions.
//!
//! The ids of transactions grow, but transactions do not commit in that order. A reader therefore
//! reads only below the oldest transaction that still runs anywhere in the Postgres cluster and has
//! written something (`pg_snapshot_xmin`): whatever is written later has a higher id.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{
    Array, BigInt, Integer, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid,
};
use diesel_async::RunQueryDsl;
use serde_json::Value;
use uuid::Uuid;

use super::schema::event_feed;
use super::{Connection, Result};
use crate::domain::event::Event;
use crate::domain::feed::{FeedEvent, Position};

/// What Postgres says about its transactions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, QueryableByName)]
pub struct Transactions {
    /// Identifies the Postgres cluster.
    #[diesel(sql_type = BigInt)]
    pub cluster: i64,
    /// The cluster that the transaction ids in the table `events` belong to. It differs from
    /// `cluster` after a restore into another one.
    #[diesel(sql_type = BigInt)]
    pub numbered_by: i64,
    /// The oldest transaction that still runs. The feed is complete below it.
    #[diesel(sql_type = BigInt)]
    pub oldest: i64,
    /// The next transaction. None has this id or a higher one yet.
    #[diesel(sql_type = BigInt)]
    pub next: i64,
}

/// Reads the state of the transactions.
pub async fn transactions(connection: &mut Connection) -> Result<Transactions> {
    diesel::sql_query(
        "SELECT control.system_identifier AS cluster, \
         (SELECT system_identifier FROM event_feed LIMIT 1) AS numbered_by, \
         pg_snapshot_xmin(snapshot)::text::bigint AS oldest, \
         pg_snapshot_xmax(snapshot)::text::bigint AS next \
         FROM pg_control_system() AS control, pg_current_snapshot() AS snapshot",
    )
    .get_result(connection)
    .await
}

/// The columns of an event, and its place.
#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    tenant: String,
    #[diesel(sql_type = BigInt)]
    transaction: i64,
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    upload_id: Uuid,
    #[diesel(sql_type = Integer)]
    sequence: i32,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Timestamptz)]
    at: DateTime<Utc>,
    #[diesel(sql_type = Jsonb)]
    data: Value,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    published_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    undeliverable_at: Option<DateTime<Utc>>,
}

impl From<Row> for FeedEvent {
    fn from(row: Row) -> Self {
        Self {
            position: Position {
                transaction: row.transaction,
                event: row.id,
            },
            event: Arc::new(Event {
                id: row.id,
                upload_id: row.upload_id,
                sequence: row.sequence,
                kind: row.kind,
                at: row.at,
                data: row.data,
                published_at: row.published_at,
                undeliverable_at: row.undeliverable_at,
            }),
        }
    }
}

/// Reads at most `limit` events of each of these tenants, the oldest ones after its position.
/// Returns each event with its tenant; those of a tenant are in order.
pub async fn read(
    connection: &mut Connection,
    readers: &[(String, Position)],
    limit: i64,
) -> Result<Vec<(String, FeedEvent)>> {
    let tenants: Vec<&str> = readers.iter().map(|(tenant, _)| &**tenant).collect();
    let transactions: Vec<i64> = readers.iter().map(|(_, at)| at.transaction).collect();
    let events: Vec<Uuid> = readers.iter().map(|(_, at)| at.event).collect();
    let rows: Vec<Row> = diesel::sql_query(
        "SELECT found.* FROM unnest($1, $2, $3) AS reader (tenant, xid, id) \
         CROSS JOIN LATERAL ( \
         SELECT tenant, xid::text::bigint AS transaction, id, upload_id, sequence, kind, at, data, \
         published_at, undeliverable_at FROM events \
         WHERE events.tenant = reader.tenant \
         AND (events.xid, events.id) > (reader.xid::text::xid8, reader.id) \
         AND events.xid < pg_snapshot_xmin(pg_current_snapshot()) \
         ORDER BY events.xid, events.id LIMIT $4) AS found \
         ORDER BY found.tenant, found.transaction, found.id",
    )
    .bind::<Array<Text>, _>(tenants)
    .bind::<Array<BigInt>, _>(transactions)
    .bind::<Array<SqlUuid>, _>(events)
    .bind::<BigInt, _>(limit)
    .load(connection)
    .await?;
    let place = |mut row: Row| (std::mem::take(&mut row.tenant), row.into());
    Ok(rows.into_iter().map(place).collect())
}

/// Returns when the oldest event of these tenants happened that is committed, but may not be read
/// yet, because an older transaction still runs.
pub async fn oldest_held(
    connection: &mut Connection,
    tenants: &[String],
) -> Result<Option<DateTime<Utc>>> {
    #[derive(QueryableByName)]
    struct Held {
        #[diesel(sql_type = Nullable<Timestamptz>)]
        at: Option<DateTime<Utc>>,
    }
    let held: Held = diesel::sql_query(
        "SELECT min(held.at) AS at FROM unnest($1) AS reader (tenant) CROSS JOIN LATERAL ( \
         SELECT at FROM events WHERE events.tenant = reader.tenant \
         AND events.xid >= pg_snapshot_xmin(pg_current_snapshot()) \
         ORDER BY events.xid, events.id LIMIT 1) AS held",
    )
    .bind::<Array<Text>, _>(tenants)
    .get_result(connection)
    .await?;
    Ok(held.at)
}

/// Locks the row with the cluster until the end of the transaction.
pub async fn lock(connection: &mut Connection) -> Result<()> {
    let row = event_feed::table.select(event_feed::system_identifier);
    let _: Vec<i64> = row.for_update().load(connection).await?;
    Ok(())
}

/// Gives the transaction of the caller to events that seem to be written by a transaction that does
/// not exist yet, because another cluster counted it. It looks at `limit` events after the id
/// `after`. Returns the id of the last of them; `None` if there are no more.
///
/// In the end, the events have the order of their ids, which is the one in which they happened.
pub async fn renumber(
    connection: &mut Connection,
    after: Uuid,
    limit: i64,
) -> Result<Option<Uuid>> {
    #[derive(QueryableByName)]
    struct Last {
        #[diesel(sql_type = Nullable<SqlUuid>)]
        id: Option<Uuid>,
    }
    let last: Last = diesel::sql_query(
        "WITH batch AS (SELECT id, xid FROM events WHERE id > $1 ORDER BY id LIMIT $2), \
         renumbered AS (UPDATE events SET xid = pg_current_xact_id() FROM batch \
         WHERE events.id = batch.id AND batch.xid >= pg_snapshot_xmax(pg_current_snapshot())) \
         SELECT max(id::text)::uuid AS id FROM batch",
    )
    .bind::<SqlUuid, _>(after)
    .bind::<BigInt, _>(limit)
    .get_result(connection)
    .await?;
    Ok(last.id)
}

/// Records that the transaction ids in the table `events` belong to this cluster.
pub async fn record_cluster(connection: &mut Connection, cluster: i64) -> Result<()> {
    diesel::update(event_feed::table)
        .set(event_feed::system_identifier.eq(cluster))
        .execute(connection)
        .await?;
    Ok(())
}
