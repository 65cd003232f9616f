//! Tidy: what tenants with quotas took and gave back is folded into what they use.
//!
//! Creates do that by themselves; this keeps it short where nothing is created for long. One
//! transaction a tenant, and nobody is waited for: a fault, or somebody who is at it, leaves the
//! changes for the next round, and what is in use is the same either way.

use diesel_async::AsyncConnection as _;

use crate::store::quotas;
use crate::usecases::context::Broker;
use crate::usecases::error::Result;

/// Folds what is not folded yet.
pub async fn fold(broker: &Broker) -> Result<()> {
    let mut connection = broker.connection().await?;
    for tenant in quotas::tenants_with_changes(&mut connection).await? {
        connection
            .transaction(async |connection| quotas::fold_changes(connection, &tenant).await)
            .await?;
    }
    Ok(())
}
