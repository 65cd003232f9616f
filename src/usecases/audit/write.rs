//! Writes many audit rows in one statement.

use std::slice;

use crate::domain::audit::Entry;
use crate::store::{self, Connection, audit};
use crate::usecases::context::Broker;
use crate::usecases::error::{Error, Result, is_row_error};

/// Writes audit rows. After an error, some of them may have been written: to write the same rows
/// again, set `again`, so that they are not duplicated. A row that the table refuses is lost,
/// logged and counted; the other rows are written.
pub async fn write(broker: &Broker, entries: &[Entry], again: bool) -> Result<()> {
    let mut connection = broker.connection().await?;
    let mut refused = Vec::new();
    match append(&mut connection, entries, again).await {
        Ok(()) => {}
        Err(cause) if is_row_error(&cause) => {
            for entry in entries {
                let written = append(&mut connection, slice::from_ref(entry), again).await;
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
        log::error!("audit: {rows} rows are lost because the table refuses them: {cause}");
    }
    Ok(())
}

async fn append(connection: &mut Connection, entries: &[Entry], again: bool) -> store::Result<()> {
    match again {
        true => audit::append_idempotently(connection, entries).await,
        false => audit::append(connection, entries).await,
    }
}
