//! Forget: what is kept for a time and past it.

use chrono::{DateTime, TimeDelta, Utc};
use diesel_async::AsyncConnection as _;

use crate::store::{idempotency, token_uses};
use crate::usecases::context::Broker;
use crate::usecases::error::Result;
use crate::usecases::uploads::create::idempotency::KEPT;

/// How long the count of a token outlives it: a request that came in time may still be under way,
/// and the clocks of two replicas may differ.
const TOKEN_USES_KEPT: TimeDelta = TimeDelta::hours(1);

/// Lets go of at most `limit` idempotency keys that are past their time, and says how many.
pub async fn delete_idempotency_keys(broker: &Broker, limit: u16) -> Result<u64> {
    let before = keys_older_than(broker);
    let mut connection = broker.connection().await?;
    let deleted = connection
        .transaction(async |connection| {
            idempotency::delete_old(connection, before, limit.into()).await
        })
        .await?;
    Ok(u64::try_from(deleted).unwrap_or(u64::MAX))
}

/// How many [`forget`] would let go in the end.
pub async fn count_idempotency_keys(broker: &Broker) -> Result<u64> {
    let mut connection = broker.connection().await?;
    let old = idempotency::count_old(&mut connection, keys_older_than(broker)).await?;
    Ok(u64::try_from(old).unwrap_or_default())
}

fn keys_older_than(broker: &Broker) -> DateTime<Utc> {
    broker.clock.now() - KEPT
}

/// Lets go of the counts of at most `limit` upload tokens that have ended, and says how many.
pub async fn delete_token_uses(broker: &Broker, limit: u16) -> Result<u64> {
    let mut connection = broker.connection().await?;
    let ended = broker.clock.now() - TOKEN_USES_KEPT;
    let deleted = token_uses::delete_expired(&mut connection, ended, limit.into()).await?;
    Ok(u64::try_from(deleted).unwrap_or(u64::MAX))
}

/// How many [`tokens`] would let go in the end.
pub async fn count_token_uses(broker: &Broker) -> Result<u64> {
    let mut connection = broker.connection().await?;
    let ended = broker.clock.now() - TOKEN_USES_KEPT;
    let old = token_uses::count_expired(&mut connection, ended).await?;
    Ok(u64::try_from(old).unwrap_or_default())
}
