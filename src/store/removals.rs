//! The table `removals`: objects that are being removed, so that no proof counts on one.

use chrono::{DateTime, Utc};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::AstPass;
use diesel::sql_types::{Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::schema::removals;
use super::{Connection, Result};

/// A removal under way.
#[derive(Clone, Copy, Debug)]
pub struct Removal<'a> {
    /// Its own id.
    pub id: Uuid,
    /// The bucket of the object.
    pub bucket: &'a str,
    /// The key of the object.
    pub key: &'a str,
    /// The only ETag that the store removes; `None` if it removes any object.
    pub etag: Option<&'a str>,
    /// When the store accepts its DELETE no more.
    pub ends_at: DateTime<Utc>,
}

/// Adds SQL that says whether the object of a proof is being removed from the key of a row of
/// `uploads`. `row` and `proof` are the names of the two: the one has the columns `bucket` and `key`,
/// the other `etag` and `at`, the time now.
pub(super) fn push_is_under_way(out: &mut AstPass<'_, '_, Pg>, row: &str, proof: &str) {
    for piece in [
        "EXISTS (SELECT FROM removals WHERE removals.bucket = ",
        row,
        ".bucket AND removals.key = ",
        row,
        ".key AND (removals.etag IS NULL OR removals.etag = ",
        proof,
        ".etag) AND removals.ends_at > ",
        proof,
        ".at)",
    ] {
        out.push_sql(piece);
    }
}

/// Registers a removal. After its commit no proof of such an object is committed. Deletes up to 100
/// removals that expired before `forgotten`.
pub async fn register(
    connection: &mut Connection,
    removal: &Removal<'_>,
    forgotten: DateTime<Utc>,
) -> Result<()> {
    diesel::sql_query(
        "WITH forgotten AS (DELETE FROM removals WHERE id IN ( \
             SELECT id FROM removals WHERE ends_at < $6 \
             ORDER BY ends_at LIMIT 100 FOR UPDATE SKIP LOCKED)) \
         INSERT INTO removals (id, bucket, key, etag, ends_at) VALUES ($1, $2, $3, $4, $5)",
    )
    .bind::<SqlUuid, _>(removal.id)
    .bind::<Text, _>(removal.bucket)
    .bind::<Text, _>(removal.key)
    .bind::<Nullable<Text>, _>(removal.etag)
    .bind::<Timestamptz, _>(removal.ends_at)
    .bind::<Timestamptz, _>(forgotten)
    .execute(connection)
    .await?;
    Ok(())
}

/// Changes which objects a removal may remove: those with this ETag, or any.
pub async fn set_etag(connection: &mut Connection, id: Uuid, etag: Option<&str>) -> Result<()> {
    diesel::update(removals::table.find(id))
        .set(removals::etag.eq(etag))
        .execute(connection)
        .await?;
    Ok(())
}

/// Ends a removal: its DELETE was answered, or was never sent.
pub async fn end(connection: &mut Connection, id: Uuid) -> Result<()> {
    diesel::delete(removals::table.find(id))
        .execute(connection)
        .await?;
    Ok(())
}

/// Whether the object with this ETag is being removed from a key at `now`.
pub async fn is_under_way(
    connection: &mut Connection,
    bucket: &str,
    key: &str,
    etag: &str,
    now: DateTime<Utc>,
) -> Result<bool> {
    let concerned = removals::etag
        .is_null()
        .or(removals::etag.assume_not_null().eq(etag));
    let under_way = removals::table
        .filter(removals::bucket.eq(bucket))
        .filter(removals::key.eq(key))
        .filter(concerned)
        .filter(removals::ends_at.gt(now));
    diesel::select(diesel::dsl::exists(under_way))
        .get_result(connection)
        .await
}
