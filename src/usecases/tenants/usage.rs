//! The usage of the caller's tenant, beside its quotas.

use crate::domain::principal::Principal;
use crate::domain::quota::{Quota, Usage};
use crate::store::{quotas, tenants};
use crate::usecases::context::Broker;
use crate::usecases::error::Result;

/// The quotas of a tenant and what its uploads use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuotaUsage {
    /// The quotas; none for a tenant that is not in the table yet.
    pub quota: Quota,
    /// What its uploads use. `None` if the tenant has no quota: the usage is recorded only from the
    /// first quota on, and counting all its uploads would take longer the more there are.
    pub usage: Option<Usage>,
}

/// Returns the usage of the caller's tenant.
pub async fn usage(broker: &Broker, principal: &Principal) -> Result<QuotaUsage> {
    let mut connection = broker.connection().await?;
    let tenant = tenants::find(&mut connection, &principal.tenant).await?;
    let quota = tenant.map(|tenant| tenant.quota).unwrap_or_default();
    let usage = match quota.is_some() {
        true => Some(quotas::usage(&mut connection, &principal.tenant, true).await?),
        false => None,
    };
    Ok(QuotaUsage { quota, usage })
}
