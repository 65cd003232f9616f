//! Publishes events again, for a subscriber that lost them or subscribed late.
//!
//! The events are made due again in batches, each in its own statement, and the relays of the
//! running replicas find them. If the command is stopped, the completed batches stay due; running
//! it again sends them a second time, which subscribers recognise by `id`.

use crate::clock::Clock;
use crate::store::Connection;
use crate::store::replay;
pub use crate::store::replay::Selection;
use crate::usecases::error::Result;

/// The size of a batch, which may be exceeded by a few events.
const BATCH: i64 = 1_000;

/// Counts the events that a replay would send.
pub async fn count(connection: &mut Connection, selection: &Selection) -> Result<u64> {
    let events = replay::count(connection, selection).await?;
    Ok(u64::try_from(events).unwrap_or_default())
}

/// Makes the selected events due again, with their old ids, and returns their number. Events that
/// are already waiting are not changed. The events of one upload are sent in their order.
pub async fn replay(
    connection: &mut Connection,
    clock: &Clock,
    selection: &Selection,
) -> Result<u64> {
    let mut total = 0;
    let mut next = Some(replay::start(selection.since));
    while let Some(after) = next {
        let now = clock.now();
        let (events, end) = replay::replay(connection, selection, after, BATCH, now).await?;
        total += u64::try_from(events).unwrap_or_default();
        next = end;
    }
    Ok(total)
}
