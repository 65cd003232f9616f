//! What upload tokens are signed with.
//!
//! The setting, where there is one; else a secret that Postgres keeps: the first replica that needs
//! it makes it, and all others find it. It is asked for once in the life of a process.

use zeroize::Zeroizing;

use crate::identity::upload_token::TokenKey;
use crate::store::token_secrets;
use crate::usecases::context::Broker;
use crate::usecases::error::{Error, Result};

impl Broker {
    /// The key. Only the first call may have to load Postgres.
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
