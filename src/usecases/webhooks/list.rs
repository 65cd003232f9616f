//! Lists endpoints.

use crate::store::Connection;
use crate::store::webhooks::{self, Webhook};
use crate::usecases::error::Result;

/// Returns the endpoints of a tenant, or of all tenants, oldest first, without their secrets.
pub async fn list(connection: &mut Connection, tenant: Option<&str>) -> Result<Vec<Webhook>> {
    Ok(webhooks::list(connection, tenant).await?)
}
