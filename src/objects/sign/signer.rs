//! The signer of pre-signed URLs.

use std::fmt;
use std::sync::Arc;

use arc_swap::ArcSwapOption;
use chrono::{DateTime, Utc};

use super::encode;
use super::error::Error;
use super::key::DayKey;
use super::lifetime::Lifetime;
use super::presign::{Draft, PresignRequest};
use super::presigned::Presigned;
use crate::objects::credentials::Credentials;
use crate::objects::endpoint::Endpoint;

/// Signs URLs for one endpoint. It is shared by all threads.
pub struct Signer {
    endpoint: Arc<Endpoint>,
    /// The key of the latest day. An `ArcSwap` and not a lock: it is read for every URL on every
    /// thread and changes once a day, and readers do not write to memory that other threads read.
    day_key: ArcSwapOption<DayKey>,
}

impl Signer {
    /// Creates a signer for an endpoint.
    #[must_use]
    pub fn new(endpoint: Endpoint) -> Self {
        Self {
            endpoint: Arc::new(endpoint),
            day_key: ArcSwapOption::empty(),
        }
    }

    /// The endpoint of the signed URLs.
    #[must_use]
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// The address of an object, without a signature.
    #[must_use]
    pub fn object_url(&self, key: &str) -> String {
        let mut url = format!("{}{}", self.endpoint.origin(), self.endpoint.base_path());
        encode::key(&mut url, key);
        url
    }

    /// The endpoint, to be kept by a part signer.
    pub(super) fn shared_endpoint(&self) -> Arc<Endpoint> {
        Arc::clone(&self.endpoint)
    }

    /// Signs `request` at `now`, truncated to the second.
    ///
    /// The lifetime is shortened so that the URL does not outlive the credentials; `expires_at` of
    /// the result is exact.
    ///
    /// # Errors
    /// The credentials have expired, the lifetime is out of range, or a header value cannot be sent
    /// over HTTP.
    pub fn presign(
        &self,
        request: &PresignRequest<'_>,
        credentials: &Arc<Credentials>,
        now: DateTime<Utc>,
    ) -> Result<Presigned, Error> {
        let lifetime = Lifetime::new(request.expires_in, credentials, now)?;
        let url = self.with_key(credentials, lifetime.second, |key| {
            let draft = Draft {
                endpoint: &self.endpoint,
                key,
                request,
                second: lifetime.second,
                expires: lifetime.expires_in,
            };
            draft.sign()
        })?;
        Ok(Presigned {
            url,
            expires_at: lifetime.expires_at,
        })
    }

    /// Calls `sign` with the key of the day.
    ///
    /// Around midnight two threads may replace the key of each other as long as their times differ.
    /// That costs some microseconds for each URL, and never uses a wrong key.
    pub(super) fn with_key<T>(
        &self,
        credentials: &Arc<Credentials>,
        second: DateTime<Utc>,
        sign: impl FnOnce(&DayKey) -> T,
    ) -> T {
        let cached = self.day_key.load();
        if let Some(key) = cached.as_deref()
            && key.fits(credentials, second)
        {
            return sign(key);
        }
        let derived = Arc::new(DayKey::derive(credentials, &self.endpoint, second));
        self.day_key.store(Some(Arc::clone(&derived)));
        sign(&derived)
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Signer")
            .field("endpoint", &self.endpoint)
            .finish_non_exhaustive()
    }
}
