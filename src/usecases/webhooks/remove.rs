//! Removes an endpoint.
//!
//! It is disabled first, so that no event is queued for it any more, then what waits for it is deleted
//! in batches, and then its row, in a transaction with the audit row. If the command is interrupted,
//! the endpoint is disabled, and the command can be repeated.

use diesel_async::AsyncConnection as _;
use uuid::Uuid;

use super::record::record;
use crate::clock::Clock;
use crate::domain::audit::Action;
use crate::store::{Connection, webhooks};
use crate::usecases::error::Result;

/// The number of deliveries that are deleted at a time.
const BATCH: i64 = 1_000;

/// Removes an endpoint and what waits for it. Returns `false` if there is no such endpoint. A call
/// that has started is finished.
pub async fn remove(connection: &mut Connection, clock: &Clock, id: Uuid) -> Result<bool> {
    if !webhooks::disable(connection, id, clock.now()).await? {
        return Ok(false);
    }
    while webhooks::delete_deliveries(connection, id, BATCH).await? > 0 {}
    connection
        .transaction(async |connection| {
            let Some(tenant) = webhooks::delete(connection, id).await? else {
                return Ok(false);
            };
            record(connection, clock, Action::WebhookRemoved, id, &tenant).await?;
            Ok(true)
        })
        .await
}
