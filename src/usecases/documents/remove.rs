//! Removes documents that nothing reads any more.

use diesel::result::Error as Sql;
use diesel_async::AsyncConnection as _;

use crate::store::documents;
use crate::usecases::context::Broker;
use crate::usecases::error::Result;

/// The largest number of pages in one transaction, each of at most 256 KiB.
const MAX_PAGES: i64 = 500;

/// Removes some pages of a document whose upload was replaced or deleted, or whose attempt has ended
/// without success, and the document itself with the last ones. Returns whether there was one.
pub async fn remove_unused(broker: &Broker) -> Result<bool> {
    let mut connection = broker.connection().await?;
    let removed = connection
        .transaction::<_, Sql, _>(async |connection| {
            let Some(document) = documents::lock_unused(connection).await? else {
                return Ok(false);
            };
            let pages = documents::remove_pages(connection, document, MAX_PAGES).await?;
            if i64::try_from(pages).is_ok_and(|pages| pages < MAX_PAGES) {
                documents::remove(connection, document).await?;
            }
            Ok(true)
        })
        .await?;
    Ok(removed)
}
