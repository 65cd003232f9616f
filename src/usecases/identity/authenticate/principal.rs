//! From what a token grants to a principal: the access that it is_active on has to be there.

use std::sync::Arc;

use uuid::Uuid;

use crate::domain::bounds::{Bounds, TokenAllowances, smaller_limit};
use crate::domain::principal::{Credential, Principal};
use crate::identity::Grant;
use crate::store::{api_keys, tenants};
use crate::usecases::context::{Broker, CachedKey, TenantAccess};
use crate::usecases::error::{Result, shared};
use crate::usecases::tenants::check_name;

/// The principal of a token that was made with the API key `key`, or with none; `None` where the
/// tenant is not there or disabled, or the key has ended.
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

/// A tenant that is at work, believed for as long as a key is: many tokens stand on one access.
async fn tenant_access(
    broker: &Broker,
    tenant: &str,
    key: Option<Uuid>,
) -> Result<Option<TenantAccess>> {
    // A name that cannot be is nobody's, and no text for Postgres.
    if check_name("/tenant", tenant).is_err() {
        return Ok(None);
    }
    let place = (tenant.to_owned(), key);
    let load = load(broker, tenant, key);
    let access = broker.caches.token_bases.try_get_with(place, load).await;
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
