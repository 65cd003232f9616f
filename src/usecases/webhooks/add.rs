//! Adds an endpoint.

use diesel_async::AsyncConnection as _;
use secrecy::SecretString;
use uuid::Uuid;

use super::record::record;
use super::{secret, target};
use crate::clock::Clock;
use crate::domain::audit::Action;
use crate::domain::event::EventType;
use crate::domain::refusal::Refusal;
use crate::store::{Connection, tenants, webhooks};
use crate::usecases::error::Result;
use crate::usecases::ids::new_id;
use crate::usecases::tenants::check_name;

/// A new endpoint. The secret is never shown again.
#[derive(Debug)]
pub struct AddedWebhook {
    /// The id, for the other commands.
    pub id: Uuid,
    /// The tenant whose events it gets.
    pub tenant: String,
    /// Where events are sent.
    pub url: String,
    /// The types that it gets; `None` for every type.
    pub types: Option<Vec<&'static str>>,
    /// The secret that verifies the signatures.
    pub secret: SecretString,
}

/// Adds an endpoint of a tenant, which gets the events that are written from now on: those of
/// `types`, or of every type. `allow_private` is the setting.
pub async fn add(
    connection: &mut Connection,
    clock: &Clock,
    tenant: &str,
    url: &str,
    types: Option<&[EventType]>,
    allow_private: bool,
) -> Result<AddedWebhook> {
    check_name("/tenant", tenant)?;
    let url = target::parse(url, allow_private)?;
    let types = types.map(|types| types.iter().map(|kind| kind.as_str()).collect::<Vec<_>>());
    let (bytes, text) = secret::fresh()?;
    let now = clock.now();
    let webhook = webhooks::NewWebhook {
        id: new_id(now),
        tenant,
        url: url.as_str(),
        types: types.clone(),
        created_at: now,
    };
    connection
        .transaction(async |connection| {
            if tenants::find(connection, tenant).await?.is_none() {
                let detail = format!("there is no tenant {tenant:?}; `tenants list` shows all");
                return Err(Refusal::field("/tenant", detail).into());
            }
            webhooks::insert(connection, &webhook, &*bytes).await?;
            record(
                connection,
                clock,
                Action::WebhookCreated,
                webhook.id,
                tenant,
            )
            .await
        })
        .await?;
    Ok(AddedWebhook {
        id: webhook.id,
        tenant: tenant.to_owned(),
        url: url.into(),
        types,
        secret: text,
    })
}
