//! Removes an endpoint: first no event is queued for it any more, then what waits is deleted in
//! batches, then the row.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::store::schema::webhooks;
use crate::store::{Connection, Result};

/// Disables an endpoint. Returns whether it exists.
pub async fn disable(connection: &mut Connection, id: Uuid, at: DateTime<Utc>) -> Result<bool> {
    let disabled = diesel::update(webhooks::table.find(id))
        .set(webhooks::disabled_at.eq(at))
        .execute(connection)
        .await?;
    Ok(disabled == 1)
}

/// Deletes at most `limit` deliveries of an endpoint, and returns how many. Those that a relay is
/// deleting are skipped.
pub async fn delete_deliveries(
    connection: &mut Connection,
    webhook: Uuid,
    limit: i64,
) -> Result<usize> {
    diesel::sql_query(
        "DELETE FROM webhook_deliveries WHERE webhook_id = $1 AND event_id IN \
         (SELECT event_id FROM webhook_deliveries WHERE webhook_id = $1 LIMIT $2 \
         FOR UPDATE SKIP LOCKED)",
    )
    .bind::<SqlUuid, _>(webhook)
    .bind::<BigInt, _>(limit)
    .execute(connection)
    .await
}

/// Deletes an endpoint, with the deliveries that are left, and returns its tenant. `None` if there is
/// no such endpoint.
pub async fn delete(connection: &mut Connection, id: Uuid) -> Result<Option<String>> {
    diesel::delete(webhooks::table.find(id))
        .returning(webhooks::tenant)
        .get_result(connection)
        .await
        .optional()
}
