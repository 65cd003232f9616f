//! An upload token of ours.

use std::sync::Arc;

use super::{Hash, Known, fingerprint, granted};
use crate::domain::bounds::Purse;
use crate::domain::principal::Credential;
use crate::usecases::broker::Broker;
use crate::usecases::error::Result;

pub(super) async fn load(broker: &Arc<Broker>, bearer: &str, hash: Hash) -> Result<Option<Known>> {
    let key = broker.token_key().await?;
    let now = broker.clock.now();
    let token = key.verify(bearer).filter(|token| now < token.grant.ends_at);
    let Some(token) = token else {
        return Ok(None);
    };
    let purse = Purse::new(token.allowances);
    let credential = Credential::UploadToken(fingerprint(&hash));
    granted::known(broker, token.grant, credential, token.key, purse).await
}
