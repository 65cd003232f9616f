//! The table `removals`: objects that are being removed, so that no proof relies on one of them.

use chrono::{DateTime, Utc};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::AstPass;
use diesel::sql_types::{Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::schema::removals;
use super::{Connection, Result};

/// A removal in progress.
#[derive(Clone, Copy, Debug)]
pub struct Removal<'a> {
    /// The id of the removal.
    pub id: Uuid,
    /// The bucket of the object.
    pub bucket: &'a str,
    /// The key of the object.
    pub key: &'a str,
    /// The only ETag that the store removes; `None` if it removes any object at the key.
    pub etag: Option<&'a str>,
    /// When the store no longer accepts the DELETE request.
    pub ends_at: DateTime<Utc>,
}

/// Appends an SQL condition: whether the object of a proof is being removed from the key of a row
/// of `uploads`.
///
/// `row` and `proof` are aliases in the statement: `row` has the columns `bucket` and `key`, and
/// `proof` has `etag` and `at`, the current time.
pub(super) fn push_is_in_progress(out: &mut AstPass<'_, '_, Pg>, row: &str, proof: &str) {
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

/// Registers a removal. After this is committed, no proof that relies on such an object is
/// committed. Also deletes up to 100 removals that expired before `expired_before`.
pub async fn register(
    connection: &mut Connection,
    removal: &Removal<'_>,
    expired_before: DateTime<Utc>,
) -> Result<()> {
    diesel::sql_query(
        "WITH expired AS (DELETE FROM removals WHERE id IN ( \
             SELECT id FROM removals WHERE ends_at < $6 \
             ORDER BY ends_at LIMIT 100 FOR UPDATE SKIP LOCKED)) \
         INSERT INTO removals (id, bucket, key, etag, ends_at) VALUES ($1, $2, $3, $4, $5)",
    )
    .bind::<SqlUuid, _>(removal.id)
    .bind::<Text, _>(removal.bucket)
    .bind::<Text, _>(removal.key)
    .bind::<Nullable<Text>, _>(removal.etag)
    .bind::<Timestamptz, _>(removal.ends_at)
    .bind::<Timestamptz, _>(expired_before)
    .execute(connection)
    .await?;
    Ok(())
}

/// Changes which object a removal may remove: the one with this ETag, or any.
pub async fn set_etag(connection: &mut Connection, id: Uuid, etag: Option<&str>) -> Result<()> {
    diesel::update(removals::table.find(id))
        .set(removals::etag.eq(etag))
        .execute(connection)
        .await?;
    Ok(())
}

/// Ends a removal, whose DELETE request was answered or never sent.
pub async fn end(connection: &mut Connection, id: Uuid) -> Result<()> {
    diesel::delete(removals::table.find(id))
        .execute(connection)
        .await?;
    Ok(())
}

/// Whether the object with this ETag is being removed from the key at `now`.
pub async fn is_in_progress(
    connection: &mut Connection,
    bucket: &str,
    key: &str,
    etag: &str,
    now: DateTime<Utc>,
) -> Result<bool> {
    let affects_object = removals::etag
        .is_null()
        .or(removals::etag.assume_not_null().eq(etag));
    let in_progress = removals::table
        .filter(removals::bucket.eq(bucket))
        .filter(removals::key.eq(key))
        .filter(affects_object)
        .filter(removals::ends_at.gt(now));
    diesel::select(diesel::dsl::exists(in_progress))
        .get_result(connection)
        .await
}
