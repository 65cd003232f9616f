//! Removes documents that nothing reads any more.

use crate::store::documents;
use crate::usecases::context::Broker;
use crate::usecases::error::Result;

/// The largest number of documents of each kind in one transaction. Each may have many pages.
const MAX_DOCUMENTS: i64 = 4;

/// Removes some documents whose upload was replaced or deleted, or whose attempt has ended without
/// success, with their pages. Returns how many; 0 if none is left.
pub async fn remove_unused(broker: &Broker) -> Result<usize> {
    let mut connection = broker.connection().await?;
    Ok(documents::remove_unused(&mut connection, MAX_DOCUMENTS).await?)
}
