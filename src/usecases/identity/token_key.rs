//! The key that signs upload tokens.
//!
//! It is the setting, if there is one; otherwise a secret in Postgres, which the first replica that
//! needs it creates and all others read. A process reads it once.

use zeroize::Zeroizing;

use crate::identity::upload_token::TokenKey;
use crate::store::token_secrets;
use crate::usecases::context::Broker;
use crate::usecases::error::{Error, Result};

impl Broker {
    /// Returns the key. Only the first call may have to read it from Postgres.
    pub(in crate::usecases) async fn token_key(&self) -> Result<&TokenKey> {
        let load = async || {
            let mut fresh = Zeroizing::new([0; 32]);
            getrandom::fill(&mut *fresh)
                .map_err(|cause| Error::Internal(cause.to_string().into()))?;
            let mut connection = self.connection().await?;
            let now = self.clock.now();
            let secret = token_secrets::get_or_insert(&mut connection, &*fresh, now).await?;
            Ok(TokenKey::new(&Zeroizing::new(secret)))
        };
        self.caches.token_key.get_or_try_init(load).await
    }
}
