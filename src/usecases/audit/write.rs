//! Write: many rows in one statement.

use std::slice;

use crate::domain::audit::Entry;
use crate::store::audit;
use crate::usecases::broker::Broker;
use crate::usecases::error::{Error, Result, is_of_one};

/// Writes rows. After a fault some of them may have been written: the same ones may be written
/// again, and are not doubled. A row that the table refuses is lost, logged and counted, and holds
/// up no other.
pub async fn write(broker: &Broker, entries: &[Entry]) -> Result<()> {
    let mut connection = broker.connection().await?;
    let mut refused = Vec::new();
    match audit::append(&mut connection, entries).await {
        Ok(()) => {}
        Err(cause) if is_of_one(&cause) => {
            for entry in entries {
                let written = audit::append(&mut connection, slice::from_ref(entry)).await;
                match written.map_err(Error::from) {
                    Ok(()) => {}
                    Err(Error::Internal(cause)) => refused.push(cause),
                    Err(error) => return Err(error),
                }
            }
        }
        Err(cause) => return Err(cause.into()),
    }
    let amount = |rows: usize| u64::try_from(rows).unwrap_or(u64::MAX);
    let metrics = &broker.metrics.audit;
    metrics.written(amount(entries.len() - refused.len()));
    metrics.lost(amount(refused.len()));
    if let Some(cause) = refused.first() {
        let rows = refused.len();
        log::error!("audit: {rows} rows are lost, the table refuses them: {cause}");
    }
    Ok(())
}
