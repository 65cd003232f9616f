//! The table `api_keys`. Only the SHA-256 of a key is kept.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::schema::api_keys;
use super::{Connection, Result};

/// A key, without the key.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = api_keys, check_for_backend(diesel::pg::Pg))]
pub struct ApiKey {
    /// Names it in `keys list` and `keys revoke`.
    pub id: Uuid,
    /// Tenants data it opens.
    pub tenant: String,
    /// Scope names.
    pub scopes: Vec<Option<String>>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it ends by itself.
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was last seen, to the minute.
    pub last_used_at: Option<DateTime<Utc>>,
    /// When it was taken back.
    pub revoked_at: Option<DateTime<Utc>>,
}

/// A key to be.
#[derive(Clone, Debug)]
pub struct NewApiKey<'a> {
    /// UUIDv7.
    pub id: Uuid,
    /// An existing tenant.
    pub tenant: &'a str,
    /// SHA-256 of the key.
    pub hash: &'a [u8],
    /// Scope names, at least one.
    pub scopes: Vec<&'static str>,
    /// Now.
    pub created_at: DateTime<Utc>,
    /// When it ends by itself.
    pub expires_at: Option<DateTime<Utc>>,
}

/// Adds a key.
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

/// The key with this hash, whatever its state.
pub async fn find_by_hash(connection: &mut Connection, hash: &[u8]) -> Result<Option<ApiKey>> {
    api_keys::table
        .filter(api_keys::hash.eq(hash))
        .select(ApiKey::as_select())
        .first(connection)
        .await
        .optional()
}

/// Whether a key is there, was not taken back and has not ended.
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

/// Every key, oldest first.
pub async fn list(connection: &mut Connection) -> Result<Vec<ApiKey>> {
    api_keys::table
        .order(api_keys::id)
        .select(ApiKey::as_select())
        .load(connection)
        .await
}

/// Takes a key back, and says whose it was; nothing where there is none with this id, or it was
/// taken back before.
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

/// Notes that a key was seen, unless that was noted after `fresh_after`: by another replica, a
/// moment ago.
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
