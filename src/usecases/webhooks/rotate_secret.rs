//! Replaces the secret of an endpoint.

use chrono::TimeDelta;
use diesel_async::AsyncConnection as _;
use secrecy::SecretString;
use uuid::Uuid;

use super::record::record;
use super::secret;
use crate::clock::Clock;
use crate::domain::audit::Action;
use crate::store::{Connection, webhooks};
use crate::usecases::error::{Error, Result};

/// How many hours the replaced secret signs as well.
pub const PREVIOUS_SECRET_HOURS: u32 = 24;

/// Replaces the secret of an endpoint and returns the new one. Until the receiver knows it, for
/// [`PREVIOUS_SECRET_HOURS`], events are signed with both secrets. Returns `None` if there is no such
/// endpoint.
pub async fn rotate_secret(
    connection: &mut Connection,
    clock: &Clock,
    id: Uuid,
) -> Result<Option<SecretString>> {
    let (bytes, text) = secret::fresh()?;
    let until = clock.now() + TimeDelta::hours(PREVIOUS_SECRET_HOURS.into());
    let rotated = connection
        .transaction(async |connection| {
            let Some(tenant) = webhooks::rotate(connection, id, &*bytes, until).await? else {
                return Ok::<_, Error>(false);
            };
            record(connection, clock, Action::WebhookSecretRotated, id, &tenant).await?;
            Ok(true)
        })
        .await?;
    Ok(rotated.then_some(text))
}
