//! The table `store_abilities`: the probed abilities of the stores of buckets.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::result::Error;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::schema::store_abilities::{self as table, table as rows};
use super::{Connection, Result};
use crate::domain::abilities::Abilities;

/// The stored result of a probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoredAbilities {
    /// The abilities that the probe found.
    pub abilities: Abilities,
    /// When the last probe ended.
    pub tried_at: Option<DateTime<Utc>>,
}

/// Finds the stored abilities of the store that has `bucket` at `endpoint`.
pub async fn find(
    connection: &mut Connection,
    endpoint: &str,
    bucket: &str,
) -> Result<Option<StoredAbilities>> {
    let row: Option<(serde_json::Value, Option<DateTime<Utc>>)> = rows
        .find((endpoint, bucket))
        .select((table::abilities, table::tried_at))
        .first(connection)
        .await
        .optional()?;
    row.map(|(abilities, tried_at)| {
        let abilities = serde_json::from_value(abilities)
            .map_err(|cause| Error::DeserializationError(cause.into()))?;
        Ok(StoredAbilities {
            abilities,
            tried_at,
        })
    })
    .transpose()
}

/// Leases the probe of a bucket until `leased_until`, unless another replica holds it at `now`.
/// Returns whether the lease was taken.
pub async fn lease_probe(
    connection: &mut Connection,
    endpoint: &str,
    bucket: &str,
    holder: Uuid,
    now: DateTime<Utc>,
    leased_until: DateTime<Utc>,
) -> Result<bool> {
    diesel::insert_into(rows)
        .values((table::endpoint.eq(endpoint), table::bucket.eq(bucket)))
        .on_conflict_do_nothing()
        .execute(connection)
        .await?;
    let free = table::leased_until
        .is_null()
        .or(table::leased_until.assume_not_null().le(now));
    let taken = diesel::update(rows.find((endpoint, bucket)))
        .filter(free)
        .set((
            table::holder.eq(holder),
            table::leased_until.eq(leased_until),
        ))
        .execute(connection)
        .await?;
    Ok(taken == 1)
}

/// Saves the result of a probe and ends the lease of `holder`. Does nothing if another replica has
/// taken over the lease.
pub async fn save(
    connection: &mut Connection,
    endpoint: &str,
    bucket: &str,
    holder: Uuid,
    found: StoredAbilities,
) -> Result<()> {
    let abilities = serde_json::to_value(found.abilities)
        .map_err(|cause| Error::SerializationError(cause.into()))?;
    diesel::update(rows.find((endpoint, bucket)))
        .filter(table::holder.eq(holder))
        .set((
            table::abilities.eq(abilities),
            table::tried_at.eq(found.tried_at),
            table::holder.eq(None::<Uuid>),
            table::leased_until.eq(None::<DateTime<Utc>>),
        ))
        .execute(connection)
        .await?;
    Ok(())
}
