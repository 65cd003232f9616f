//! Queues past events for an endpoint.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Nullable, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::store::replay::{LOW_BITS, find_end_of_batch, id_at};
use crate::store::schema::events;
use crate::store::{Connection, Result};

/// Which events to queue: those of the tenant and of the types of the endpoint in a time range.
#[derive(Clone, Copy, Debug)]
pub struct Selection {
    /// The endpoint.
    pub webhook: Uuid,
    /// Events at or after this time.
    pub since: DateTime<Utc>,
    /// Events before this time.
    pub until: DateTime<Utc>,
}

/// Queues the events of a selection among about `limit` events after the id `after`. Returns how many
/// they were, and the id to continue after, if there may be more. Events that wait already are not
/// changed, and those that are being removed are left out.
///
/// A batch always includes whole milliseconds, so that an earlier event of an upload is never in a
/// later batch.
pub async fn queue_again(
    connection: &mut Connection,
    selection: &Selection,
    after: Uuid,
    limit: i64,
    now: DateTime<Utc>,
) -> Result<(usize, Option<Uuid>)> {
    let events = events::table
        .filter(events::id.gt(after))
        .filter(events::id.le(id_at(selection.until, LOW_BITS)))
        .into_boxed();
    let end = find_end_of_batch(connection, events, limit).await?;
    // The locks wait for a removal of the endpoint or of an event, so that the foreign keys cannot
    // fail. They are taken in the order of retention, so that neither waits for the other for ever.
    let queued = diesel::sql_query(
        "INSERT INTO webhook_deliveries \
         (event_id, webhook_id, upload_id, sequence, queued_at, due_at) \
         SELECT events.id, webhooks.id, events.upload_id, events.sequence, $6, $6 \
         FROM events JOIN webhooks ON webhooks.tenant = events.tenant \
         WHERE webhooks.id = $1 AND events.id > $2 AND events.id <= coalesce($3, $7) \
         AND events.at >= $4 AND events.at < $5 \
         AND (webhooks.types IS NULL OR events.kind = ANY (webhooks.types)) \
         ORDER BY events.id FOR KEY SHARE OF events, webhooks ON CONFLICT DO NOTHING",
    )
    .bind::<SqlUuid, _>(selection.webhook)
    .bind::<SqlUuid, _>(after)
    .bind::<Nullable<SqlUuid>, _>(end)
    .bind::<Timestamptz, _>(selection.since)
    .bind::<Timestamptz, _>(selection.until)
    .bind::<Timestamptz, _>(now)
    .bind::<SqlUuid, _>(id_at(selection.until, LOW_BITS))
    .execute(connection)
    .await?;
    Ok((queued, end))
}
