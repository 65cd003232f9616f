//! Compares the schema of the database with the one that this binary needs.

use crate::store::migrations;
use crate::usecases::context::Broker;
use crate::usecases::error::Result;

/// Returns the number of migrations that the database lacks. The schema of a newer binary lacks none.
pub async fn count_missing_migrations(broker: &Broker) -> Result<usize> {
    let mut connection = broker.connection().await?;
    let difference = migrations::compare(&mut connection).await?;
    Ok(difference.missing.len())
}
