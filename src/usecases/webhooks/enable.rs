//! Enables an endpoint again.

use diesel_async::AsyncConnection as _;
use uuid::Uuid;

use super::record::record;
use crate::clock::Clock;
use crate::domain::audit::Action;
use crate::store::{Connection, webhooks};
use crate::usecases::error::Result;

/// Enables an endpoint and ends its back-off: the events that wait for it are sent at once. Returns
/// `false` if there is no such endpoint.
pub async fn enable(connection: &mut Connection, clock: &Clock, id: Uuid) -> Result<bool> {
    let now = clock.now();
    connection
        .transaction(async |connection| {
            let Some(tenant) = webhooks::enable(connection, id, now).await? else {
                return Ok(false);
            };
            record(connection, clock, Action::WebhookEnabled, id, &tenant).await?;
            Ok(true)
        })
        .await
}
