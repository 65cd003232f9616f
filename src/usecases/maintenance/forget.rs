//! Forget: what is kept for a time and past it.

use chrono::{DateTime, TimeDelta, Utc};
use diesel_async::AsyncConnection as _;

use crate::store::{idempotency, token_uses};
use crate::usecases::context::Broker;
use crate::usecases::error::Result;
use crate::usecases::uploads::create::idempotency::KEPT;

/// How long the count of a token outlives it: a request that came in time may still be under way,
/// and the clocks of two replicas may differ.
const AFTER_ITS_END: TimeDelta = TimeDelta::hours(1);

/// Lets go of at most `limit` idempotency keys that are past their time, and says how many.
pub async fn forget(broker: &Broker, limit: u16) -> Result<u64> {
    let before = before(broker);
    let mut connection = broker.connection().await?;
    let forgotten = connection
        .transaction(async |connection| {
            idempotency::delete_old(connection, before, limit.into()).await
        })
        .await?;
    Ok(u64::try_from(forgotten).unwrap_or(u64::MAX))
}

/// How many [`forget`] would let go in the end.
pub async fn foresee(broker: &Broker) -> Result<u64> {
    let mut connection = broker.connection().await?;
    let old = idempotency::count_old(&mut connection, before(broker)).await?;
    Ok(u64::try_from(old).unwrap_or_default())
}

fn before(broker: &Broker) -> DateTime<Utc> {
    broker.clock.now() - KEPT
}

/// Lets go of the counts of at most `limit` upload tokens that have ended, and says how many.
pub async fn tokens(broker: &Broker, limit: u16) -> Result<u64> {
    let mut connection = broker.connection().await?;
    let ended = broker.clock.now() - AFTER_ITS_END;
    let gone = token_uses::delete_expired(&mut connection, ended, limit.into()).await?;
    Ok(u64::try_from(gone).unwrap_or(u64::MAX))
}

/// How many [`tokens`] would let go in the end.
pub async fn foresee_tokens(broker: &Broker) -> Result<u64> {
    let mut connection = broker.connection().await?;
    let ended = broker.clock.now() - AFTER_ITS_END;
    let old = token_uses::count_expired(&mut connection, ended).await?;
    Ok(u64::try_from(old).unwrap_or_default())
}
