//! Queues past events for an endpoint, which lost them or was added later.
//!
//! The events are queued in batches, each in its own statement, and the relays of the running replicas
//! send them, with their old ids. If the command is stopped, the completed batches stay queued.

use diesel_async::AsyncConnection as _;

use super::record::record;
use crate::clock::Clock;
use crate::domain::audit::Action;
use crate::store::Connection;
use crate::store::replay::start;
use crate::store::webhooks;
pub use crate::store::webhooks::Selection;
use crate::usecases::error::{Error, Result};

/// The number of events that are read for a batch, which may be exceeded by a few.
const BATCH: i64 = 1_000;

/// Queues the selected events for an endpoint, and returns their number; `None` if there is no such
/// endpoint. Events that wait already are not changed. The events of one upload are sent in their
/// order. A disabled endpoint gets them when it is enabled.
pub async fn replay(
    connection: &mut Connection,
    clock: &Clock,
    selection: &Selection,
) -> Result<Option<u64>> {
    let id = selection.webhook;
    let exists = connection
        .transaction(async |connection| {
            let Some(webhook) = webhooks::find(connection, id).await? else {
                return Ok::<_, Error>(false);
            };
            let tenant = &webhook.tenant;
            record(connection, clock, Action::WebhookReplayed, id, tenant).await?;
            Ok(true)
        })
        .await?;
    if !exists {
        return Ok(None);
    }
    let mut total = 0;
    let mut next = Some(start(selection.since));
    while let Some(after) = next {
        let now = clock.now();
        let (events, end) = webhooks::queue_again(connection, selection, after, BATCH, now).await?;
        total += u64::try_from(events).unwrap_or_default();
        next = end;
    }
    Ok(Some(total))
}
