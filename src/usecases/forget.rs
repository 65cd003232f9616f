//! Forget: what is kept for a time and past it.

use super::broker::Broker;
use super::create_once::KEPT;
use super::error::Result;
use crate::store::idempotency;

/// Lets go of at most `limit` idempotency keys that are past their time, and says how many.
pub async fn forget(broker: &Broker, limit: u16) -> Result<u64> {
    let before = broker.clock.now() - KEPT;
    let mut connection = broker.connection().await?;
    let forgotten = idempotency::forget(&mut connection, before, limit.into()).await?;
    Ok(u64::try_from(forgotten).unwrap_or(u64::MAX))
}
