//! Gives the events an order in the cluster that the database was restored into.
//!
//! That cluster counts its own transactions. Where its count is behind the one that the events were
//! written under, they would stay invisible until it has caught up, and new events would come before
//! old ones. They all get the transaction of this change instead, so that they are in the order of
//! their ids, which is the one in which they happened.
//!
//! It is one transaction: a crash leaves the old numbers, and the next attempt starts again. A second
//! replica waits for the row of the cluster, and then finds nothing to do.

use diesel_async::AsyncConnection as _;
use uuid::Uuid;

use crate::store::{Connection, feed};
use crate::usecases::error::Result;

/// The number of events that one statement looks at. That takes about half a second on a slow
/// machine, which is less than any statement timeout.
const BATCH: i64 = 1_000;

/// Renumbers the events, if the recorded cluster is not the one of the connection.
pub(super) async fn renumber(connection: &mut Connection) -> Result<()> {
    connection
        .transaction(async |connection| {
            feed::lock(connection).await?;
            let current = feed::transactions(connection).await?;
            if current.cluster == current.numbered_by {
                return Ok(());
            }
            log::info!(
                "event feed: the database was restored into another cluster: numbering its events"
            );
            let mut after = Uuid::nil();
            while let Some(last) = feed::renumber(connection, after, BATCH).await? {
                after = last;
            }
            feed::record_cluster(connection, current.cluster).await?;
            Ok(())
        })
        .await
}
