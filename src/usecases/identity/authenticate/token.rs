//! Authenticates an upload token of the broker.

use std::sync::Arc;

use super::{Hash, fingerprint, principal};
use crate::domain::bounds::TokenAllowances;
use crate::domain::principal::Credential;
use crate::usecases::context::{Broker, CachedKey};
use crate::usecases::error::Result;

pub(super) async fn load(
    broker: &Arc<Broker>,
    bearer: &str,
    hash: Hash,
) -> Result<Option<CachedKey>> {
    let key = broker.token_key().await?;
    let now = broker.clock.now();
    let token = key.verify(bearer).filter(|token| now < token.grant.ends_at);
    let Some(token) = token else {
        return Ok(None);
    };
    let allowances = TokenAllowances::new(token.allowances);
    let credential = Credential::UploadToken(fingerprint(&hash));
    principal::from_grant(broker, token.grant, credential, token.key, allowances).await
}
