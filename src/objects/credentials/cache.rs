//! Credentials kept fresh.
//!
//! - Fresh ones are read without a lock.
//! - Ahead of their end, one caller fetches the next set; the others go on with the old one and
//!   do not wait. No task of its own: a broker that signs nothing needs no credentials.
//! - When that fails, a warning is logged and the old set serves on until its real end, with a
//!   pause between tries.
//! - Without a usable set, callers wait for one fetch between them; when it fails, all get the
//!   error, and the provider is left alone for a second.
//! - A fetch belongs to no caller: it goes on when the one that began it stops waiting.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use chrono::{DateTime, TimeDelta, Utc};
use tokio::runtime::Handle;
use tokio::sync::{Mutex, OwnedMutexGuard};

use super::Credentials;

/// How long a fetch may take: as long as the SDK's own identity cache waits.
const FETCH_TIMEOUT: Duration = Duration::from_secs(5);
/// Credentials without an end are read again this often, as in the SDK: a rotated profile is
/// picked up without a restart.
const REREAD_AFTER: TimeDelta = TimeDelta::minutes(15);
/// The next set is fetched at least this long before the end. EC2 and ECS offer it that early.
const MARGIN: TimeDelta = TimeDelta::minutes(5);
/// The pause after a failure while the old set still serves.
const RETRY_AFTER: TimeDelta = TimeDelta::seconds(10);
/// The pause after a failure while there is no usable set.
const RETRY_EMPTY_AFTER: TimeDelta = TimeDelta::seconds(1);

/// Why there are no credentials.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The provider has none, or could not be reached.
    #[error("no AWS credentials can be had")]
    Provider(#[source] CredentialsError),
    /// The provider did not answer in time.
    #[error("the AWS credentials provider did not answer within {0:?}")]
    Timeout(Duration),
    /// The provider hands out credentials that have expired already.
    #[error("the AWS credentials provider answers credentials that expired at {0}")]
    Expired(DateTime<Utc>),
    /// The last try failed a moment ago; its cause was answered and logged then.
    #[error("no AWS credentials could be had at {0}")]
    RecentlyFailed(DateTime<Utc>),
}

/// Credentials of a provider (aws-config's chain, as a rule), shared by all threads. Cheap to
/// clone; the clones share their credentials.
#[derive(Clone, Debug)]
pub struct CredentialsCache {
    shared: Arc<Shared>,
    /// Where fetches run: they outlast the request that begins one.
    runtime: Handle,
}

#[derive(Debug)]
struct Shared {
    provider: SharedCredentialsProvider,
    timeout: Duration,
    current: ArcSwapOption<Entry>,
    /// Held by the one who fetches.
    fetching: Arc<Mutex<LastFailure>>,
}

/// When the last fetch failed, if it did.
type LastFailure = Option<DateTime<Utc>>;

#[derive(Debug)]
struct Entry {
    credentials: Arc<Credentials>,
    refresh_at: DateTime<Utc>,
}

impl CredentialsCache {
    /// A cache that has fetched nothing yet. Its fetches run on the runtime that this is called on.
    #[must_use]
    pub fn new(provider: impl ProvideCredentials + 'static) -> Self {
        Self::with_timeout(provider, FETCH_TIMEOUT)
    }

    /// The same with another limit on how long a fetch may take.
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

    /// Credentials that have not expired at `now`.
    ///
    /// The same `Arc` as long as they are the same credentials: the signer keeps its key by it.
    ///
    /// # Errors
    /// None are left that have not expired, and none can be fetched.
    pub async fn get(&self, now: DateTime<Utc>) -> Result<Arc<Credentials>, Error> {
        let shared = Arc::clone(&self.shared);
        let Some(entry) = shared.usable(now) else {
            return self.fetched(shared.fetch_or_fail(now)).await;
        };
        if now >= entry.refresh_at
            && let Ok(failed_at) = Arc::clone(&shared.fetching).try_lock_owned()
        {
            let refreshed = shared.refresh_or_keep(failed_at, entry, now);
            return self.fetched(refreshed).await;
        }
        Ok(Arc::clone(&entry.credentials))
    }

    /// What a fetch comes to, which goes on when the caller stops waiting for it.
    async fn fetched<F>(&self, fetch: F) -> Result<Arc<Credentials>, Error>
    where
        F: Future<Output = Result<Arc<Credentials>, Error>> + Send + 'static,
    {
        let fetched = self.runtime.spawn(fetch).await;
        fetched.unwrap_or_else(|died| Err(Error::Provider(CredentialsError::unhandled(died))))
    }
}

impl Shared {
    async fn refresh_or_keep(
        self: Arc<Self>,
        mut failed_at: OwnedMutexGuard<LastFailure>,
        seen: Arc<Entry>,
        now: DateTime<Utc>,
    ) -> Result<Arc<Credentials>, Error> {
        // Another caller may have been here between our look and our lock.
        let old = self.usable(now).unwrap_or(seen);
        if now < old.refresh_at {
            return Ok(Arc::clone(&old.credentials));
        }
        let fresh = self.refresh(&mut failed_at, now).await;
        Ok(fresh.unwrap_or_else(|error| {
            log::warn!("the old AWS credentials serve on: {}", causes(&error));
            self.keep(&old.credentials, now + RETRY_AFTER);
            Arc::clone(&old.credentials)
        }))
    }

    fn usable(&self, now: DateTime<Utc>) -> Option<Arc<Entry>> {
        let entry = self.current.load();
        let entry = entry.as_ref()?;
        (!entry.credentials.has_expired(now)).then(|| Arc::clone(entry))
    }

    async fn fetch_or_fail(self: Arc<Self>, now: DateTime<Utc>) -> Result<Arc<Credentials>, Error> {
        let mut failed_at = self.fetching.lock().await;
        if let Some(entry) = self.usable(now) {
            return Ok(Arc::clone(&entry.credentials));
        }
        if let Some(at) = *failed_at
            && now < at + RETRY_EMPTY_AFTER
        {
            return Err(Error::RecentlyFailed(at));
        }
        self.refresh(&mut failed_at, now).await
    }

    /// Fetches and keeps. The caller holds the lock that `failed_at` is in.
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
        self.keep(&credentials, refresh_at(&credentials, now));
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

    fn keep(&self, credentials: &Arc<Credentials>, refresh_at: DateTime<Utc>) {
        self.current.store(Some(Arc::new(Entry {
            credentials: Arc::clone(credentials),
            refresh_at,
        })));
    }
}

/// When to fetch the next set: with a fifth of their life left, at least five minutes, at most
/// half of it, and up to a quarter of that earlier, so that replicas do not ask all at once.
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

/// An error and what caused it, on one line.
fn causes(error: &Error) -> String {
    let first: &dyn std::error::Error = error;
    let causes = std::iter::successors(Some(first), |error| error.source());
    causes
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(": ")
}
