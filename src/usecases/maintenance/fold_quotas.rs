//! Folds the recorded changes of a tenant's usage into its total.
//!
//! Creates do the same; this keeps the list of changes short if nothing is created for a long time.
//! Each tenant has its own transaction, and no lock is waited for: after a fault, or if another
//! transaction folds the changes, they stay for the next round. The usage is the same either way.

use diesel_async::AsyncConnection as _;

use crate::store::quotas;
use crate::usecases::context::Broker;
use crate::usecases::error::Result;

/// Folds the changes of every tenant that has some.
pub async fn fold(broker: &Broker) -> Result<()> {
    let mut connection = broker.connection().await?;
    for tenant in quotas::tenants_with_changes(&mut connection).await? {
        connection
            .transaction(async |connection| quotas::fold_changes(connection, &tenant).await)
            .await?;
    }
    Ok(())
}
