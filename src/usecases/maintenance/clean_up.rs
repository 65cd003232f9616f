//! Removes rows that are kept only for a limited time: idempotency keys and the counters of upload
//! tokens.

use chrono::{DateTime, TimeDelta, Utc};
use diesel_async::AsyncConnection as _;

use crate::store::{idempotency, token_uses};
use crate::usecases::context::Broker;
use crate::usecases::error::Result;
use crate::usecases::uploads::create::idempotency::KEPT;

/// How long the counter of a token outlives it: a request that arrived in time may still run, and
/// the clocks of two replicas may differ.
const TOKEN_USES_KEPT: TimeDelta = TimeDelta::hours(1);

/// Removes at most `limit` expired idempotency keys, and returns how many.
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

/// Counts the keys that repeated calls of [`delete_idempotency_keys`] would remove.
pub async fn count_idempotency_keys(broker: &Broker) -> Result<u64> {
    let mut connection = broker.connection().await?;
    let old = idempotency::count_old(&mut connection, keys_older_than(broker)).await?;
    Ok(u64::try_from(old).unwrap_or_default())
}

fn keys_older_than(broker: &Broker) -> DateTime<Utc> {
    broker.clock.now() - KEPT
}

/// Removes the counters of at most `limit` ended upload tokens, and returns how many.
pub async fn delete_token_uses(broker: &Broker, limit: u16) -> Result<u64> {
    let mut connection = broker.connection().await?;
    let ended = broker.clock.now() - TOKEN_USES_KEPT;
    let deleted = token_uses::delete_expired(&mut connection, ended, limit.into()).await?;
    Ok(u64::try_from(deleted).unwrap_or(u64::MAX))
}

/// Counts the rows that repeated calls of [`delete_token_uses`] would remove.
pub async fn count_token_uses(broker: &Broker) -> Result<u64> {
    let mut connection = broker.connection().await?;
    let ended = broker.clock.now() - TOKEN_USES_KEPT;
    let old = token_uses::count_expired(&mut connection, ended).await?;
    Ok(u64::try_from(old).unwrap_or_default())
}
