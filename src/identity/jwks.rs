//! The public keys of an issuer, fetched over HTTP.
//!
//! They are fetched for the first JWT, for a JWT with a key that is not in the set, and from time
//! to time, so that a key that the issuer withdraws is not accepted for long. There is one fetch at
//! a time, and a pause after each, whatever its outcome: invented key ids cannot cause many
//! requests to the issuer. Requests do not wait for the refresh of a stale set. They do wait for
//! the refresh of an expired set, one that was not used for a long time, because a key may have
//! been withdrawn since. While the issuer is unavailable, or its response is invalid, the old set
//! stays in use.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use chrono::{DateTime, TimeDelta, Utc};
use reqwest::{Client, redirect};
use tokio::sync::Mutex;
use url::Url;

use super::key_set::KeySet;

/// The timeout of a fetch.
const FETCH_TIMEOUT: Duration = Duration::from_secs(3);
/// The largest accepted key set, in bytes.
const MAX_BYTES: usize = 256 * 1024;
/// The pause after a fetch.
const PAUSE: TimeDelta = TimeDelta::seconds(10);
/// The pause after a fetch while there is no key set, and so no JWT can be verified.
const SHORT_PAUSE: TimeDelta = TimeDelta::seconds(1);
/// The age at which a key set is stale.
const STALE_AFTER: TimeDelta = TimeDelta::minutes(10);
/// The age at which a key set is expired, unless a fetch was tried recently.
const EXPIRED_AFTER: TimeDelta = TimeDelta::minutes(30);

/// Why the keys could not be fetched.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the keys of the issuer cannot be fetched: {0}")]
pub struct FetchError(String);

/// The cached keys of an issuer.
pub struct Jwks {
    url: Url,
    client: Client,
    current: ArcSwapOption<Fetched>,
    last: Mutex<Option<Attempt>>,
    /// When the last completed fetch began, in seconds since 1970. It can be read during a fetch.
    tried_at: AtomicI64,
}

/// A key set, and when it was requested.
pub(super) struct Fetched {
    pub(super) keys: KeySet,
    at: DateTime<Utc>,
}

/// The outcome of the last fetch.
struct Attempt {
    at: DateTime<Utc>,
    outcome: Result<(), FetchError>,
}

impl Jwks {
    /// Prepares to fetch the keys at `url`.
    ///
    /// # Errors
    /// If the HTTP client cannot be created.
    pub fn new(url: Url) -> Result<Self, reqwest::Error> {
        let client = Client::builder()
            .timeout(FETCH_TIMEOUT)
            // The keys are at the configured URL, and nowhere else.
            .redirect(redirect::Policy::none())
            .pool_max_idle_per_host(0)
            .build()?;
        Ok(Self {
            url,
            client,
            current: ArcSwapOption::empty(),
            last: Mutex::new(None),
            tried_at: AtomicI64::new(0),
        })
    }

    /// The key set that was fetched last.
    pub(super) fn current(&self) -> Option<Arc<Fetched>> {
        self.current.load_full()
    }

    /// Whether there is a key set that should be refreshed in the background.
    pub fn is_stale(&self, now: DateTime<Utc>) -> bool {
        let is_stale =
            (self.current.load().as_ref()).is_some_and(|set| now - set.at >= STALE_AFTER);
        // The lock is held during a fetch.
        is_stale
            && self
                .last
                .try_lock()
                .is_ok_and(|last| !is_paused(last.as_ref(), PAUSE, now))
    }

    /// Whether there is a key set that must be refreshed before it is used. If that refresh fails,
    /// the old set is used for some more time.
    pub fn is_expired(&self, now: DateTime<Utc>) -> bool {
        let is_old =
            (self.current.load().as_ref()).is_some_and(|set| now - set.at >= EXPIRED_AFTER);
        let since = now.timestamp() - self.tried_at.load(Ordering::Relaxed);
        is_old && since >= STALE_AFTER.num_seconds()
    }

    /// Fetches the keys, unless a fetch was tried a moment ago. If a fetch is in progress, waits
    /// for it. `now` is the time at which the caller started.
    ///
    /// # Errors
    /// The error of the last fetch, which another caller may have made.
    pub async fn refresh(&self, now: DateTime<Utc>) -> Result<(), FetchError> {
        let mut last = self.last.lock().await;
        let pause = match self.current.load().as_ref() {
            Some(_) => PAUSE,
            None => SHORT_PAUSE,
        };
        if let Some(attempt) = last.as_ref()
            && is_paused(Some(attempt), pause, now)
        {
            return attempt.outcome.clone();
        }
        let outcome = match self.fetch().await {
            Ok(keys) => {
                self.current
                    .store(Some(Arc::new(Fetched { keys, at: now })));
                Ok(())
            }
            Err(error) => {
                log::warn!("{error}; the previous keys stay in use");
                Err(error)
            }
        };
        self.tried_at.store(now.timestamp(), Ordering::Relaxed);
        *last = Some(Attempt {
            at: now,
            outcome: outcome.clone(),
        });
        outcome
    }

    /// Fetches the keys once, and returns the algorithm of each usable key in the order of the set.
    /// The cached keys are not changed.
    ///
    /// # Errors
    /// If the keys cannot be fetched, or none is usable.
    pub async fn fetch_algorithms(&self) -> Result<Vec<&'static str>, FetchError> {
        Ok(self.fetch().await?.algorithms())
    }

    async fn fetch(&self) -> Result<KeySet, FetchError> {
        let failed = |error: reqwest::Error| FetchError(with_causes(&error.without_url()));
        let request = self.client.get(self.url.clone());
        let request = request.header("accept", "application/jwk-set+json, application/json");
        let mut answer = request.send().await.map_err(failed)?;
        if !answer.status().is_success() {
            return Err(FetchError(format!(
                "the response has the status {}",
                answer.status()
            )));
        }
        let mut text = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(failed)? {
            text.extend_from_slice(&chunk);
            if text.len() > MAX_BYTES {
                return Err(FetchError(format!(
                    "the response exceeds {MAX_BYTES} bytes"
                )));
            }
        }
        let keys = KeySet::parse(&text).filter(|keys| !keys.is_empty());
        keys.ok_or_else(|| FetchError("the response has no usable key".to_owned()))
    }
}

fn is_paused(last: Option<&Attempt>, pause: TimeDelta, now: DateTime<Utc>) -> bool {
    last.is_some_and(|attempt| now - attempt.at < pause)
}

fn with_causes(error: &reqwest::Error) -> String {
    let mut text = error.to_string();
    let mut next = std::error::Error::source(error);
    while let Some(source) = next {
        text.push_str(&format!(": {source}"));
        next = source.source();
    }
    text
}
