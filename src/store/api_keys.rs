//! The table `api_keys`. Only the SHA-256 of a key is stored.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::schema::api_keys;
use super::{Connection, Result};

/// An API key, without its secret.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = api_keys, check_for_backend(diesel::pg::Pg))]
pub struct ApiKey {
    /// Identifies the key in `keys list` and `keys revoke`.
    pub id: Uuid,
    /// The tenant whose data the key gives access to.
    pub tenant: String,
    /// The names of its scopes.
    pub scopes: Vec<Option<String>>,
    /// When the key was created.
    pub created_at: DateTime<Utc>,
    /// When the key expires.
    pub expires_at: Option<DateTime<Utc>>,
    /// When the key was last used, to the minute.
    pub last_used_at: Option<DateTime<Utc>>,
    /// When the key was revoked.
    pub revoked_at: Option<DateTime<Utc>>,
}

/// An API key that is not stored yet.
#[derive(Clone, Debug)]
pub struct NewApiKey<'a> {
    /// UUIDv7.
    pub id: Uuid,
    /// The tenant, which must exist.
    pub tenant: &'a str,
    /// The SHA-256 of the key.
    pub hash: &'a [u8],
    /// The names of its scopes, at least one.
    pub scopes: Vec<&'static str>,
    /// The current time.
    pub created_at: DateTime<Utc>,
    /// When the key expires.
    pub expires_at: Option<DateTime<Utc>>,
}

/// Inserts a key.
pub async fn insert(connection: &mut Connection, key: &NewApiKey<'_>) -> Result<()> {
    diesel::insert_into(api_keys::table)
        .values((
            api_keys::id.eq(key.id),
            api_keys::tenant.eq(key.tenant),
            api_keys::hash.eq(key.hash),
            api_keys::scopes.eq(&key.scopes),
            api_keys::created_at.eq(key.created_at),
            api_keys::expires_at.eq(key.expires_at),
        ))
        .execute(connection)
        .await?;
    Ok(())
}

/// Finds the key with this hash, even if it is expired or revoked.
pub async fn find_by_hash(connection: &mut Connection, hash: &[u8]) -> Result<Option<ApiKey>> {
    api_keys::table
        .filter(api_keys::hash.eq(hash))
        .select(ApiKey::as_select())
        .first(connection)
        .await
        .optional()
}

/// Whether the key exists, is not revoked and has not expired at `now`.
pub async fn is_active(connection: &mut Connection, id: Uuid, now: DateTime<Utc>) -> Result<bool> {
    let ends = api_keys::expires_at;
    let live = api_keys::table
        .filter(api_keys::id.eq(id))
        .filter(api_keys::revoked_at.is_null())
        .filter(ends.is_null().or(ends.gt(now)).assume_not_null());
    diesel::select(diesel::dsl::exists(live))
        .get_result(connection)
        .await
}

/// Lists all keys, oldest first.
pub async fn list(connection: &mut Connection) -> Result<Vec<ApiKey>> {
    api_keys::table
        .order(api_keys::id)
        .select(ApiKey::as_select())
        .load(connection)
        .await
}

/// Revokes a key and returns its tenant. `None` if there is no such key, or it was revoked before.
pub async fn revoke(
    connection: &mut Connection,
    id: Uuid,
    at: DateTime<Utc>,
) -> Result<Option<String>> {
    let live = api_keys::table
        .filter(api_keys::id.eq(id))
        .filter(api_keys::revoked_at.is_null());
    diesel::update(live)
        .set(api_keys::revoked_at.eq(at))
        .returning(api_keys::tenant)
        .get_result(connection)
        .await
        .optional()
}

/// Records that a key was used at `at`, unless a use after `fresh_after` is recorded already,
/// usually by another replica.
pub async fn record_use(
    connection: &mut Connection,
    id: Uuid,
    at: DateTime<Utc>,
    fresh_after: DateTime<Utc>,
) -> Result<()> {
    let last = api_keys::last_used_at;
    diesel::update(api_keys::table.filter(api_keys::id.eq(id)))
        .filter(last.is_null().or(last.le(fresh_after)))
        .set(api_keys::last_used_at.eq(at))
        .execute(connection)
        .await?;
    Ok(())
}
