//! The cached credentials as a provider for the calls of the SDK.

use aws_credential_types::Credentials as Given;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, future};

use super::cache::CredentialsCache;
use crate::clock::Clock;

/// A provider that returns cached credentials, so that a cancelled call to S3 does not stop a fetch
/// that other callers wait for.
#[derive(Clone, Debug)]
pub struct CachedProvider {
    cache: CredentialsCache,
    clock: Clock,
}

impl CachedProvider {
    /// Creates a provider that returns the credentials of `cache`, at the time of `clock`.
    #[must_use]
    pub fn new(cache: CredentialsCache, clock: Clock) -> Self {
        Self { cache, clock }
    }

    async fn provide(&self) -> Result<Given, CredentialsError> {
        let credentials = self.cache.get(self.clock.now()).await;
        let credentials = credentials.map_err(CredentialsError::provider_error)?;
        Ok(Given::new(
            credentials.access_key_id(),
            credentials.secret(),
            credentials.session_token().map(str::to_owned),
            credentials.expires_at().map(Into::into),
            "upload-broker",
        ))
    }
}

impl ProvideCredentials for CachedProvider {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.provide())
    }
}
