//! Reads the state of the transactions for a caller of the feed, and checks cursors against it.

use crate::domain::feed::FeedCursor;
use crate::store::Connection;
use crate::store::feed::{self, Transactions};
use crate::usecases::context::Broker;
use crate::usecases::error::{Error, Result};

/// Reads the state of the transactions.
///
/// # Errors
/// [`Error::Busy`] after a restore into another Postgres cluster, until the loop of the feed has
/// renumbered the events.
pub(super) async fn current(broker: &Broker, connection: &mut Connection) -> Result<Transactions> {
    let current = feed::transactions(connection).await?;
    if current.cluster == current.numbered_by {
        return Ok(current);
    }
    broker.feed.wake();
    Err(Error::Busy(
        "The database was restored, and the order of its events is being prepared".to_owned(),
    ))
}

/// Whether a cursor names a place in the current order of events. It does not after a restore into
/// another cluster, or to a time before the cursor was made.
pub(super) fn is_known(cursor: &FeedCursor, current: &Transactions) -> bool {
    cursor.cluster == current.cluster && cursor.position.transaction <= current.next
}
