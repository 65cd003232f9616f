//! A cache of credentials that refreshes them before they expire.
//!
//! - Valid credentials are read without a lock.
//! - Before they expire, one caller fetches the next set; other callers use the old set and do not
//!   wait. There is no background task, because a broker that signs nothing needs no credentials.
//! - If the refresh fails, a warning is logged, and the old set is used until it expires. There is
//!   a delay between attempts.
//! - Without a valid set, all callers wait for one shared fetch. If it fails, all of them get an
//!   error, and the provider is not called again for a second.
//! - A fetch does not depend on its caller: it continues if the caller that started it stops
//!   waiting.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use chrono::{DateTime, TimeDelta, Utc};
use tokio::runtime::Handle;
use tokio::sync::{Mutex, OwnedMutexGuard};

use super::set::Credentials;

/// How long a fetch may take: as long as in the identity cache of the SDK.
const FETCH_TIMEOUT: Duration = Duration::from_secs(5);
/// How often credentials without an expiry are read again, as in the SDK, so that a changed profile
/// is used without a restart.
const REREAD_AFTER: TimeDelta = TimeDelta::minutes(15);
/// How long before the expiry the next set is fetched at the latest. EC2 and ECS provide it that
/// early.
const MARGIN: TimeDelta = TimeDelta::minutes(5);
/// The delay after a failure while the old set is still valid.
const RETRY_AFTER: TimeDelta = TimeDelta::seconds(10);
/// The delay after a failure while there is no valid set.
const RETRY_EMPTY_AFTER: TimeDelta = TimeDelta::seconds(1);

/// Why no credentials are available.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The provider has no credentials, or cannot be reached.
    #[error("no AWS credentials are available")]
    Provider(#[source] CredentialsError),
    /// The provider did not answer in time.
    #[error("the AWS credentials provider did not answer within {0:?}")]
    Timeout(Duration),
    /// The provider returned credentials that have expired already.
    #[error("the AWS credentials provider returned credentials that expired at {0}")]
    Expired(DateTime<Utc>),
    /// The last fetch failed a moment ago. Its cause was returned and logged then.
    #[error("fetching AWS credentials failed at {0}")]
    RecentlyFailed(DateTime<Utc>),
}

/// A cache of the credentials of a provider, which is usually the provider chain of aws-config. It
/// is shared by all threads. Cloning it is cheap, and clones share their credentials.
#[derive(Clone, Debug)]
pub struct CredentialsCache {
    shared: Arc<Shared>,
    /// The runtime of the fetches, which outlive the request that starts one.
    runtime: Handle,
}

#[derive(Debug)]
struct Shared {
    provider: SharedCredentialsProvider,
    timeout: Duration,
    current: ArcSwapOption<Entry>,
    /// Locked by the caller that fetches.
    fetching: Arc<Mutex<LastFailure>>,
}

/// When the last fetch failed; `None` if it succeeded.
type LastFailure = Option<DateTime<Utc>>;

#[derive(Debug)]
struct Entry {
    credentials: Arc<Credentials>,
    refresh_at: DateTime<Utc>,
}

impl CredentialsCache {
    /// Creates an empty cache. Its fetches run on the runtime that this is called on.
    #[must_use]
    pub fn new(provider: impl ProvideCredentials + 'static) -> Self {
        Self::with_timeout(provider, FETCH_TIMEOUT)
    }

    /// Creates an empty cache with another timeout for fetches.
    #[must_use]
    pub fn with_timeout(provider: impl ProvideCredentials + 'static, timeout: Duration) -> Self {
        Self {
            shared: Arc::new(Shared {
                provider: SharedCredentialsProvider::new(provider),
                timeout,
                current: ArcSwapOption::empty(),
                fetching: Arc::default(),
            }),
            runtime: Handle::current(),
        }
    }

    /// Returns credentials that are valid at `now`.
    ///
    /// Equal credentials are returned in the same `Arc`, by whose address the signer caches its
    /// key.
    ///
    /// # Errors
    /// There are no valid credentials, and none can be fetched.
    pub async fn get(&self, now: DateTime<Utc>) -> Result<Arc<Credentials>, Error> {
        let shared = Arc::clone(&self.shared);
        let Some(entry) = shared.valid(now) else {
            return self.await_fetch(shared.fetch_or_fail(now)).await;
        };
        if now >= entry.refresh_at
            && let Ok(failed_at) = Arc::clone(&shared.fetching).try_lock_owned()
        {
            let refreshed = shared.refresh_or_keep(failed_at, entry, now);
            return self.await_fetch(refreshed).await;
        }
        Ok(Arc::clone(&entry.credentials))
    }

    /// Awaits a fetch that runs in a task of its own, so that it continues if the caller stops
    /// waiting.
    async fn await_fetch<F>(&self, fetch: F) -> Result<Arc<Credentials>, Error>
    where
        F: Future<Output = Result<Arc<Credentials>, Error>> + Send + 'static,
    {
        let fetched = self.runtime.spawn(fetch).await;
        fetched.unwrap_or_else(|error| Err(Error::Provider(CredentialsError::unhandled(error))))
    }
}

impl Shared {
    async fn refresh_or_keep(
        self: Arc<Self>,
        mut failed_at: OwnedMutexGuard<LastFailure>,
        known: Arc<Entry>,
        now: DateTime<Utc>,
    ) -> Result<Arc<Credentials>, Error> {
        // Another caller may have refreshed the credentials before this one got the lock.
        let old = self.valid(now).unwrap_or(known);
        if now < old.refresh_at {
            return Ok(Arc::clone(&old.credentials));
        }
        let fresh = self.refresh(&mut failed_at, now).await;
        Ok(fresh.unwrap_or_else(|error| {
            log::warn!(
                "cannot refresh the AWS credentials, using the old ones: {}",
                causes(&error)
            );
            self.store(&old.credentials, now + RETRY_AFTER);
            Arc::clone(&old.credentials)
        }))
    }

    fn valid(&self, now: DateTime<Utc>) -> Option<Arc<Entry>> {
        let entry = self.current.load();
        let entry = entry.as_ref()?;
        (!entry.credentials.has_expired(now)).then(|| Arc::clone(entry))
    }

    async fn fetch_or_fail(self: Arc<Self>, now: DateTime<Utc>) -> Result<Arc<Credentials>, Error> {
        let mut failed_at = self.fetching.lock().await;
        if let Some(entry) = self.valid(now) {
            return Ok(Arc::clone(&entry.credentials));
        }
        if let Some(at) = *failed_at
            && now < at + RETRY_EMPTY_AFTER
        {
            return Err(Error::RecentlyFailed(at));
        }
        self.refresh(&mut failed_at, now).await
    }

    /// Fetches credentials and stores them. The caller holds the lock of `failed_at`.
    async fn refresh(
        &self,
        failed_at: &mut LastFailure,
        now: DateTime<Utc>,
    ) -> Result<Arc<Credentials>, Error> {
        let fetched = self.fetch(now).await;
        *failed_at = fetched.is_err().then_some(now);
        let mut credentials = fetched?;
        if let Some(old) = self.current.load().as_ref()
            && old.credentials.same_as(&credentials)
        {
            credentials = Arc::clone(&old.credentials);
        }
        self.store(&credentials, refresh_at(&credentials, now));
        Ok(credentials)
    }

    async fn fetch(&self, now: DateTime<Utc>) -> Result<Arc<Credentials>, Error> {
        let given = tokio::time::timeout(self.timeout, self.provider.provide_credentials())
            .await
            .map_err(|_| Error::Timeout(self.timeout))?
            .map_err(Error::Provider)?;
        let credentials = Credentials::from(&given);
        match credentials.expires_at() {
            Some(end) if end <= now => Err(Error::Expired(end)),
            _ => Ok(Arc::new(credentials)),
        }
    }

    fn store(&self, credentials: &Arc<Credentials>, refresh_at: DateTime<Utc>) {
        self.current.store(Some(Arc::new(Entry {
            credentials: Arc::clone(credentials),
            refresh_at,
        })));
    }
}

/// Returns when to fetch the next set: when a fifth of the lifetime is left, but at least five
/// minutes and at most half of it. A random part of up to a quarter is added, so that replicas do
/// not all refresh at the same time.
fn refresh_at(credentials: &Credentials, now: DateTime<Utc>) -> DateTime<Utc> {
    let jitter = getrandom::u32().unwrap_or_default() % 1_000;
    let Some(end) = credentials.expires_at() else {
        return now + REREAD_AFTER - REREAD_AFTER * i32::try_from(jitter).unwrap_or(0) / 4_000;
    };
    let left = end - now;
    let margin = (left / 5).max(MARGIN);
    let margin = margin + margin * i32::try_from(jitter).unwrap_or(0) / 4_000;
    end - margin.min(left / 2)
}

/// Formats an error and its causes on one line.
fn causes(error: &Error) -> String {
    let first: &dyn std::error::Error = error;
    let causes = std::iter::successors(Some(first), |error| error.source());
    causes
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(": ")
}
