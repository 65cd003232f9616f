//! Sends events once more: for a subscriber that lost them, or came late.
//!
//! Makes them due again, batch by batch, each a statement of its own; the relays of the running
//! replicas find them. Stopped halfway, what was done is done: the same command again sends the
//! first ones a second time, which subscribers tell by `id`.

use crate::clock::Clock;
use crate::store::Connection;
use crate::store::replay;
pub use crate::store::replay::Selection;
use crate::usecases::error::Result;

/// Events in a batch, or a few more.
const BATCH: i64 = 1_000;

/// How many events a replay would send.
pub async fn count(connection: &mut Connection, selection: &Selection) -> Result<u64> {
    let events = replay::count(connection, selection).await?;
    Ok(u64::try_from(events).unwrap_or_default())
}

/// Makes the selected events due again, under their old ids, and says how many they are. Those
/// that wait already are left alone; an upload's events leave in their order.
pub async fn replay(
    connection: &mut Connection,
    clock: &Clock,
    selection: &Selection,
) -> Result<u64> {
    let mut all = 0;
    let mut next = Some(replay::start(selection));
    while let Some(after) = next {
        let now = clock.now();
        let (events, end) = replay::replay(connection, selection, after, BATCH, now).await?;
        all += u64::try_from(events).unwrap_or_default();
        next = end;
    }
    Ok(all)
}
