//! Creates the principal of a token. The tenant and the API key that the token is based on must
//! still be active.

use std::sync::Arc;

use uuid::Uuid;

use crate::domain::bounds::{Bounds, TokenAllowances, smaller_limit};
use crate::domain::principal::{Credential, Principal};
use crate::identity::Grant;
use crate::store::{api_keys, tenants};
use crate::usecases::context::{Broker, CachedKey, TenantAccess};
use crate::usecases::error::{Result, shared};
use crate::usecases::tenants::check_name;

/// Returns the principal of a token that was created with the API key `key`, or with none; `None`
/// if the tenant does not exist or is disabled, or if the key has ended.
pub(super) async fn from_grant(
    broker: &Broker,
    grant: Grant,
    credential: Credential,
    key: Option<Uuid>,
    allowances: Option<TokenAllowances>,
) -> Result<Option<CachedKey>> {
    let Some((jail, policy)) = tenant_access(broker, &grant.tenant, key).await? else {
        return Ok(None);
    };
    let bytes = allowances.as_ref().and_then(TokenAllowances::max_bytes);
    Ok(Some(CachedKey {
        principal: Arc::new(Principal {
            tenant: grant.tenant,
            jail: jail.confined_to(grant.prefix),
            policy,
            scopes: grant.scopes,
            key_id: key,
            credential,
            bounds: Bounds {
                max_size: smaller_limit(grant.max_size, bytes),
                ends_at: Some(grant.ends_at),
                token_allowances: allowances.map(Arc::new),
            },
        }),
        expires_at: Some(grant.ends_at),
    }))
}

/// Returns the tenant's access, if the tenant is enabled and the key is active. It is cached for as
/// long as a key is, because many tokens share it.
async fn tenant_access(
    broker: &Broker,
    tenant: &str,
    key: Option<Uuid>,
) -> Result<Option<TenantAccess>> {
    // An invalid name belongs to no tenant, and may be no valid text for Postgres.
    if check_name("/tenant", tenant).is_err() {
        return Ok(None);
    }
    let base = (tenant.to_owned(), key);
    let load = load(broker, tenant, key);
    let access = broker.caches.token_bases.try_get_with(base, load).await;
    access.map_err(|error| shared(&error))
}

async fn load(broker: &Broker, tenant: &str, key: Option<Uuid>) -> Result<Option<TenantAccess>> {
    let mut connection = broker.connection().await?;
    let now = broker.clock.now();
    let is_active = match key {
        Some(key) => api_keys::is_active(&mut connection, key, now).await?,
        None => true,
    };
    let access = match is_active {
        true => tenants::find_enabled(&mut connection, tenant).await?,
        false => None,
    };
    Ok(access.map(|(jail, policy)| (jail, Arc::new(policy))))
}
