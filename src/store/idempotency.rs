//! The table `idempotency_keys`, and `idempotency_entries` for the uploads of batches.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use diesel::dsl::{not, sql};
use diesel::prelude::*;
use diesel::query_dsl::methods;
use diesel::sql_types::{Array, Bool, Text};
use diesel::upsert::excluded;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::schema::{idempotency_entries, idempotency_keys};
use super::{Connection, Result};

/// An idempotency key and the request that was sent with it.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// The tenant. Equal keys of different tenants are different keys.
    pub tenant: &'a str,
    /// The key, as the client sent it.
    pub key: &'a str,
    /// The SHA-256 of the request.
    pub hash: [u8; 32],
}

/// The outcome of reserving a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reservation {
    /// The key was free, and is now reserved for the given upload.
    New,
    /// The key is reserved for an earlier upload.
    Existing {
        /// The earlier upload.
        upload_id: Uuid,
        /// Whether the earlier request was the same.
        same_request: bool,
    },
}

/// SQL: whether no upload of a key is Pending any more. Until then the client may still need the
/// key.
const IS_OVER: &str = "NOT EXISTS (SELECT 1 FROM uploads \
     WHERE uploads.id = idempotency_keys.upload_id AND uploads.status = 'Pending') \
     AND NOT EXISTS (SELECT 1 FROM idempotency_entries entry \
     JOIN uploads ON uploads.id = entry.upload_id AND uploads.status = 'Pending' \
     WHERE entry.tenant = idempotency_keys.tenant AND entry.key = idempotency_keys.key)";

/// Reserves the key for `upload_id`, unless it was reserved after `fresh_after`, or for an upload
/// that is still Pending.
///
/// Call it inside the transaction that inserts the upload: a second caller with the same key waits
/// here until that transaction ends, and then finds either its reservation or a free key.
pub async fn reserve_key(
    connection: &mut Connection,
    request: &Request<'_>,
    upload_id: Uuid,
    now: DateTime<Utc>,
    fresh_after: DateTime<Utc>,
) -> Result<Reservation> {
    let reserve = diesel::insert_into(idempotency_keys::table)
        .values((
            idempotency_keys::tenant.eq(request.tenant),
            idempotency_keys::key.eq(request.key),
            idempotency_keys::request_hash.eq(&request.hash[..]),
            idempotency_keys::upload_id.eq(upload_id),
            idempotency_keys::created_at.eq(now),
        ))
        .on_conflict((idempotency_keys::tenant, idempotency_keys::key))
        .do_update()
        .set((
            idempotency_keys::request_hash.eq(excluded(idempotency_keys::request_hash)),
            idempotency_keys::upload_id.eq(excluded(idempotency_keys::upload_id)),
            idempotency_keys::created_at.eq(excluded(idempotency_keys::created_at)),
        ));
    let stale = (idempotency_keys::created_at.le(fresh_after)).and(sql::<Bool>(IS_OVER));
    let reserved = methods::FilterDsl::filter(reserve, stale)
        .execute(connection)
        .await?;
    if reserved == 1 {
        return Ok(Reservation::New);
    }
    let (upload_id, hash): (Uuid, Vec<u8>) = idempotency_keys::table
        .find((request.tenant, request.key))
        .select((idempotency_keys::upload_id, idempotency_keys::request_hash))
        .first(connection)
        .await?;
    Ok(Reservation::Existing {
        upload_id,
        same_request: hash == request.hash,
    })
}

/// Finds the existing reservation that [`reserve_key`] would return, without reserving the key. It
/// may change right after this call.
pub async fn find_reservation(
    connection: &mut Connection,
    request: &Request<'_>,
    fresh_after: DateTime<Utc>,
) -> Result<Option<Reservation>> {
    let fresh = (idempotency_keys::created_at.gt(fresh_after)).or(not(sql::<Bool>(IS_OVER)));
    let existing: Option<(Uuid, Vec<u8>)> = idempotency_keys::table
        .find((request.tenant, request.key))
        .filter(fresh)
        .select((idempotency_keys::upload_id, idempotency_keys::request_hash))
        .first(connection)
        .await
        .optional()?;
    Ok(existing.map(|(upload_id, hash)| Reservation::Existing {
        upload_id,
        same_request: hash == request.hash,
    }))
}

/// Changes the upload of a key that this transaction has reserved.
pub async fn set_upload(
    connection: &mut Connection,
    request: &Request<'_>,
    upload_id: Uuid,
) -> Result<()> {
    let row = idempotency_keys::table.find((request.tenant, request.key));
    diesel::update(row)
        .set(idempotency_keys::upload_id.eq(upload_id))
        .execute(connection)
        .await?;
    Ok(())
}

/// Releases a key that this transaction has reserved.
pub async fn release_key(connection: &mut Connection, request: &Request<'_>) -> Result<()> {
    let row = idempotency_keys::table.find((request.tenant, request.key));
    diesel::delete(row).execute(connection).await?;
    Ok(())
}

/// Returns the uploads of the batch that was sent with the key, by their position in the batch.
pub async fn batch_entries(
    connection: &mut Connection,
    request: &Request<'_>,
) -> Result<BTreeMap<usize, Uuid>> {
    let rows: Vec<(i32, Uuid)> = idempotency_entries::table
        .filter(idempotency_entries::tenant.eq(request.tenant))
        .filter(idempotency_entries::key.eq(request.key))
        .select((
            idempotency_entries::position,
            idempotency_entries::upload_id,
        ))
        .load(connection)
        .await?;
    let entry = |(position, id)| Some((usize::try_from(position).ok()?, id));
    Ok(rows.into_iter().filter_map(entry).collect())
}

/// Saves uploads of a batch under its key, each with its position in the batch.
pub async fn save_batch_entries(
    connection: &mut Connection,
    request: &Request<'_>,
    entries: &[(usize, Uuid)],
) -> Result<()> {
    let rows: Vec<_> = (entries.iter())
        .filter_map(|(position, id)| {
            Some((
                idempotency_entries::tenant.eq(request.tenant),
                idempotency_entries::key.eq(request.key),
                idempotency_entries::position.eq(i32::try_from(*position).ok()?),
                idempotency_entries::upload_id.eq(*id),
            ))
        })
        .collect();
    diesel::insert_into(idempotency_entries::table)
        .values(rows)
        .execute(connection)
        .await?;
    Ok(())
}

/// Deletes the batch entries of earlier uses of a key that this transaction has reserved.
pub async fn delete_batch_entries(
    connection: &mut Connection,
    request: &Request<'_>,
) -> Result<()> {
    let old = idempotency_entries::table
        .filter(idempotency_entries::tenant.eq(request.tenant))
        .filter(idempotency_entries::key.eq(request.key));
    diesel::delete(old).execute(connection).await?;
    Ok(())
}

/// Deletes at most `limit` keys that were reserved before `before` and whose uploads are not
/// Pending any more, and returns how many. Call it inside a transaction: a key that is being
/// reserved again at that moment is skipped.
pub async fn delete_old(
    connection: &mut Connection,
    before: DateTime<Utc>,
    limit: i64,
) -> Result<usize> {
    let old: Vec<(String, String)> = idempotency_keys::table
        .filter(idempotency_keys::created_at.le(before))
        .filter(sql::<Bool>(IS_OVER))
        .order(idempotency_keys::created_at)
        .limit(limit)
        .for_update()
        .skip_locked()
        .select((idempotency_keys::tenant, idempotency_keys::key))
        .load(connection)
        .await?;
    let (tenants, keys): (Vec<_>, Vec<_>) = old.into_iter().unzip();
    diesel::sql_query(
        "DELETE FROM idempotency_keys USING unnest($1, $2) AS old (tenant, key) \
         WHERE idempotency_keys.tenant = old.tenant AND idempotency_keys.key = old.key",
    )
    .bind::<Array<Text>, _>(tenants)
    .bind::<Array<Text>, _>(keys)
    .execute(connection)
    .await
}

/// Counts the keys that [`delete_old`] would delete in total.
pub async fn count_old(connection: &mut Connection, before: DateTime<Utc>) -> Result<i64> {
    idempotency_keys::table
        .filter(idempotency_keys::created_at.le(before))
        .filter(sql::<Bool>(IS_OVER))
        .count()
        .get_result(connection)
        .await
}
