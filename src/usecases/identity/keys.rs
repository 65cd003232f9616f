//! API keys: issues, lists and revokes them.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use diesel_async::AsyncConnection as _;
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::clock::Clock;
use crate::domain::audit::{Action, ActionDetails};
use crate::domain::jail::DEFAULT_TENANT;
use crate::domain::principal::Scope;
use crate::domain::refusal::Refusal;
use crate::store::{Connection, api_keys, tenants};
use crate::usecases::audit;
use crate::usecases::error::{Error, Result};
use crate::usecases::ids::new_id;
use crate::usecases::tenants::{check_name, prefix_conflict};

/// The prefix, by which people and secret scanners recognise a leaked key.
const PREFIX: &str = "ubk_";

/// A new key. The secret is stored nowhere else.
#[derive(Debug)]
pub struct IssuedKey {
    /// The id of the key, for `keys list` and `keys revoke`.
    pub id: Uuid,
    /// The tenant of the key.
    pub tenant: String,
    /// The scopes of the key.
    pub scopes: Vec<Scope>,
    /// The secret, for `Authorization: Bearer`.
    pub key: SecretString,
    /// When the key was created.
    pub created_at: DateTime<Utc>,
    /// When the key expires, if it does.
    pub expires_at: Option<DateTime<Utc>>,
    /// When the tenant was disabled, if it is: the key does not work until the tenant is enabled.
    pub disabled_at: Option<DateTime<Utc>>,
}

/// Issues a key. The first key of a tenant also creates the tenant.
pub async fn issue(
    connection: &mut Connection,
    clock: &Clock,
    tenant: &str,
    scopes: &[Scope],
    expires_at: Option<DateTime<Utc>>,
) -> Result<IssuedKey> {
    check_name("/tenant", tenant)?;
    if scopes.is_empty() {
        return Err(Refusal::field("/scopes", "expected at least one").into());
    }
    let now = clock.now();
    let mut secret = Zeroizing::new([0; 32]);
    getrandom::fill(&mut *secret).map_err(|cause| Error::Internal(cause.to_string().into()))?;
    let secret = Zeroizing::new(URL_SAFE_NO_PAD.encode(secret));
    let key = SecretString::from([PREFIX, &secret].concat());
    let row = api_keys::NewApiKey {
        id: new_id(now),
        tenant,
        hash: &hash(key.expose_secret()),
        scopes: scopes.iter().map(|scope| scope.as_str()).collect(),
        created_at: now,
        expires_at,
    };
    let disabled_at = connection
        .transaction(async |connection| insert(connection, &row).await)
        .await?;
    Ok(IssuedKey {
        id: row.id,
        tenant: tenant.to_owned(),
        scopes: scopes.to_vec(),
        key,
        created_at: now,
        expires_at,
        disabled_at,
    })
}

/// Returns when the tenant was disabled, if it is.
async fn insert(
    connection: &mut Connection,
    key: &api_keys::NewApiKey<'_>,
) -> Result<Option<DateTime<Utc>>> {
    let (tenant, now) = (key.tenant, key.created_at);
    let mut actions = Vec::new();
    if tenant != DEFAULT_TENANT
        && tenants::ensure_exists(connection, tenant, now)
            .await
            .map_err(|cause| prefix_conflict("/tenant", cause))?
    {
        actions.push(ActionDetails::on_subject(Action::TenantCreated, tenant));
    }
    api_keys::insert(connection, key).await?;
    actions.push(ActionDetails {
        expires_at: key.expires_at,
        ..ActionDetails::on_subject(Action::KeyCreated, key.id)
    });
    audit::record_operator(connection, now, tenant, actions).await?;
    let tenant = tenants::find(connection, tenant).await?;
    Ok(tenant.and_then(|tenant| tenant.disabled_at))
}

/// Revokes a key. Returns `false` if there is no key with this id, or if it was already revoked.
/// Running requests continue; later ones are rejected within seconds.
pub async fn revoke(connection: &mut Connection, clock: &Clock, id: Uuid) -> Result<bool> {
    let now = clock.now();
    connection
        .transaction(async |connection| {
            let Some(tenant) = api_keys::revoke(connection, id, now).await? else {
                return Ok(false);
            };
            let actions = vec![ActionDetails::on_subject(Action::KeyRevoked, id)];
            audit::record_operator(connection, now, &tenant, actions).await?;
            Ok(true)
        })
        .await
}

/// Returns every key, without its secret.
pub async fn list(connection: &mut Connection) -> Result<Vec<api_keys::ApiKey>> {
    Ok(api_keys::list(connection).await?)
}

/// Returns the stored hash of a key. A key has 256 random bits, so a slow hash would add no
/// protection.
pub(in crate::usecases) fn hash(key: &str) -> [u8; 32] {
    Sha256::digest(key.as_bytes()).into()
}

/// Whether a text has the format of a key. This needs no lookup.
pub(in crate::usecases) fn has_shape(text: &str) -> bool {
    text.strip_prefix(PREFIX)
        .is_some_and(|secret| secret.len() == 43 && secret.is_ascii())
}
