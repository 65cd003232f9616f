//! The keys of an issuer, by HTTP.
//!
//! Fetched when the first JWT comes, when one names a key that is not in the set, and now and then
//! beside that, so that a key that was withdrawn does not live on here. One fetch at a time, and a
//! pause after each, whatever it came to: made-up key ids cannot make us hammer the issuer. Nobody
//! waits for a set that is only stale; one that nobody asked for in a long quiet time is waited
//! for, as a key may have been withdrawn in it. While the issuer is away, or says nonsense, the old
//! set stays.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use chrono::{DateTime, TimeDelta, Utc};
use reqwest::{Client, redirect};
use tokio::sync::Mutex;
use url::Url;

use super::key_set::KeySet;

/// How long a fetch may take.
const PATIENCE: Duration = Duration::from_secs(3);
/// The largest set, in bytes.
const MOST_BYTES: usize = 256 * 1024;
/// The pause after a fetch.
const PAUSE: TimeDelta = TimeDelta::seconds(10);
/// The pause while there is no set at all, and nobody with a JWT can be let in.
const SHORT_PAUSE: TimeDelta = TimeDelta::seconds(1);
/// How old a set may be before it is fetched anew.
const FRESH: TimeDelta = TimeDelta::minutes(10);
/// How old a set may be before JWTs wait for a new one, where none was asked for lately.
const OLD: TimeDelta = TimeDelta::minutes(30);

/// Why there are no new keys.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the issuer's keys cannot be had: {0}")]
pub struct FetchError(String);

/// The keys of an issuer, kept.
pub struct Jwks {
    url: Url,
    client: Client,
    current: ArcSwapOption<Fetched>,
    last: Mutex<Option<Attempt>>,
    /// When the last fetch that has ended began, in seconds since 1970. It is read while one is
    /// under way.
    tried: AtomicI64,
}

/// A set, and when it was asked for.
pub(super) struct Fetched {
    pub(super) keys: KeySet,
    at: DateTime<Utc>,
}

/// What the last fetch came to.
struct Attempt {
    at: DateTime<Utc>,
    outcome: Result<(), FetchError>,
}

impl Jwks {
    /// The keys at `url`, which nobody has asked for yet.
    ///
    /// # Errors
    /// Where the HTTP client cannot be made.
    pub fn new(url: Url) -> Result<Self, reqwest::Error> {
        let client = Client::builder()
            .timeout(PATIENCE)
            // The set stands where the settings say, and nowhere else.
            .redirect(redirect::Policy::none())
            .pool_max_idle_per_host(0)
            .build()?;
        Ok(Self {
            url,
            client,
            current: ArcSwapOption::empty(),
            last: Mutex::new(None),
            tried: AtomicI64::new(0),
        })
    }

    /// The set that was fetched last.
    pub(super) fn current(&self) -> Option<Arc<Fetched>> {
        self.current.load_full()
    }

    /// Whether there is a set, and it is time for a new one.
    pub fn is_stale(&self, now: DateTime<Utc>) -> bool {
        let old = (self.current.load().as_ref()).is_some_and(|set| now - set.at >= FRESH);
        // Whoever holds the lock is at it.
        old && self
            .last
            .try_lock()
            .is_ok_and(|last| !is_pause(last.as_ref(), PAUSE, now))
    }

    /// Whether there is a set, and it is so old that nobody may be let in by it before the issuer
    /// was asked. Once the issuer did not answer, its old set is good enough for a while.
    pub fn is_expired(&self, now: DateTime<Utc>) -> bool {
        let old = (self.current.load().as_ref()).is_some_and(|set| now - set.at >= OLD);
        let since = now.timestamp() - self.tried.load(Ordering::Relaxed);
        old && since >= FRESH.num_seconds()
    }

    /// Fetches the set anew, unless that was tried a moment ago; waits for a fetch that is under
    /// way. `now` is when the caller began.
    ///
    /// # Errors
    /// What the last fetch failed with, whoever made it.
    pub async fn refresh(&self, now: DateTime<Utc>) -> Result<(), FetchError> {
        let mut last = self.last.lock().await;
        let pause = match self.current.load().as_ref() {
            Some(_) => PAUSE,
            None => SHORT_PAUSE,
        };
        if let Some(attempt) = last.as_ref()
            && is_pause(Some(attempt), pause, now)
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
                log::warn!("{error}; the keys from before stay");
                Err(error)
            }
        };
        self.tried.store(now.timestamp(), Ordering::Relaxed);
        *last = Some(Attempt {
            at: now,
            outcome: outcome.clone(),
        });
        outcome
    }

    /// Asks the issuer once, for a look at it: the algorithm of each key that fits, in the order of
    /// the set. What is kept stays as it is.
    ///
    /// # Errors
    /// Where the keys cannot be had, or none of them fits.
    pub async fn fetch_algorithms(&self) -> Result<Vec<&'static str>, FetchError> {
        Ok(self.fetch().await?.algorithms())
    }

    async fn fetch(&self) -> Result<KeySet, FetchError> {
        let failed = |error: reqwest::Error| FetchError(chain(&error.without_url()));
        let request = self.client.get(self.url.clone());
        let request = request.header("accept", "application/jwk-set+json, application/json");
        let mut answer = request.send().await.map_err(failed)?;
        if !answer.status().is_success() {
            return Err(FetchError(format!("it answers {}", answer.status())));
        }
        let mut text = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(failed)? {
            text.extend_from_slice(&chunk);
            if text.len() > MOST_BYTES {
                return Err(FetchError(format!("over {MOST_BYTES} bytes")));
            }
        }
        let keys = KeySet::parse(&text).filter(|keys| !keys.is_empty());
        keys.ok_or_else(|| FetchError("it has no set with a key that fits".to_owned()))
    }
}

fn is_pause(last: Option<&Attempt>, pause: TimeDelta, now: DateTime<Utc>) -> bool {
    last.is_some_and(|attempt| now - attempt.at < pause)
}

fn chain(error: &reqwest::Error) -> String {
    let mut words = error.to_string();
    let mut next = std::error::Error::source(error);
    while let Some(source) = next {
        words.push_str(&format!(": {source}"));
        next = source.source();
    }
    words
}
