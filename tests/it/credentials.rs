//! Signing credentials are fetched once for all callers, renewed before they expire, and used
//! during an outage of the provider for as long as they are valid.

pub mod provider;

use std::sync::Arc;
use std::time::Duration;

use aws_credential_types::Credentials as Given;
use chrono::{DateTime, TimeDelta, Utc};
use upload_broker::objects::credentials::{Credentials, CredentialsCache, Error};

use self::provider::Provider;

fn start() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).unwrap()
}

fn after(seconds: i64) -> DateTime<Utc> {
    start() + TimeDelta::seconds(seconds)
}

/// Temporary credentials that expire this many seconds after the start.
fn until(name: &str, seconds: i64) -> Result<Given, &'static str> {
    let token = Some("token".to_owned());
    Ok(Given::new(
        name,
        "secret",
        token,
        Some(after(seconds).into()),
        "test",
    ))
}

fn lasting(name: &str) -> Result<Given, &'static str> {
    Ok(Given::new(name, "secret", None, None, "test"))
}

async fn name_at(cache: &CredentialsCache, seconds: i64) -> String {
    let credentials = cache.get(after(seconds)).await.unwrap();
    credentials.access_key_id().to_owned()
}

#[tokio::test]
async fn credentials_are_renewed_before_they_expire() {
    let provider = Provider::new([until("first", 3_600), until("second", 7_200)]);
    let cache = CredentialsCache::new(provider.clone());
    // A fifth of an hour is 720 seconds, and jitter adds up to a quarter: not before 2,700.
    for seconds in [0, 1, 1_800, 2_699] {
        assert_eq!(name_at(&cache, seconds).await, "first", "at {seconds}");
    }
    assert_eq!(provider.calls(), 1);
    assert_eq!(name_at(&cache, 2_880).await, "second");
    assert_eq!(provider.calls(), 2);
}

#[tokio::test]
async fn renewal_with_same_credentials_keeps_same_arc() {
    let provider = Provider::new([until("same", 3_600), until("same", 3_600)]);
    let cache = CredentialsCache::new(provider.clone());
    let first = cache.get(start()).await.unwrap();
    let again = cache.get(after(3_000)).await.unwrap();
    assert_eq!(provider.calls(), 2);
    assert!(
        Arc::ptr_eq(&first, &again),
        "the signer would derive its key again"
    );
}

#[tokio::test]
async fn credentials_without_expiry_are_renewed_every_fifteen_minutes() {
    let provider = Provider::new([lasting("old"), lasting("rotated")]);
    let cache = CredentialsCache::new(provider.clone());
    for seconds in [0, 300, 670] {
        assert_eq!(name_at(&cache, seconds).await, "old", "at {seconds}");
    }
    assert_eq!(provider.calls(), 1);
    assert_eq!(name_at(&cache, 900).await, "rotated");
}

#[tokio::test]
async fn hundred_concurrent_callers_fetch_once() {
    let provider = Provider::new([until("first", 3_600)]).holding();
    let cache = CredentialsCache::new(provider.clone());
    let callers = futures::future::join_all((0..100).map(|_| name_at(&cache, 0)));
    let (names, ()) = tokio::join!(callers, async { provider.release() });
    assert_eq!(names, vec!["first"; 100]);
    assert_eq!(provider.calls(), 1);
}

#[tokio::test]
async fn callers_use_old_credentials_while_one_caller_renews() {
    let provider = Provider::new([until("first", 3_600), until("second", 7_200)]);
    let cache = CredentialsCache::new(provider.clone());
    assert_eq!(name_at(&cache, 0).await, "first");
    let provider = provider.holding();
    // The other caller asks while the provider is held, and is answered before it is released.
    let other = async {
        let name = name_at(&cache, 3_000).await;
        provider.release();
        name
    };
    let (fetching, other) = tokio::join!(biased; name_at(&cache, 3_000), other);
    assert_eq!((fetching.as_str(), other.as_str()), ("second", "first"));
}

#[tokio::test]
async fn fetch_continues_when_its_caller_is_dropped() {
    let provider = Provider::new([until("first", 3_600), until("second", 7_200)]).holding();
    let cache = CredentialsCache::new(provider.clone());
    for (seconds, name) in [(0, "first"), (3_000, "second")] {
        let calls = provider.calls();
        let mut caller = Box::pin(name_at(&cache, seconds));
        // The caller begins the fetch, and is dropped once the provider was called.
        assert!(futures::poll!(&mut caller).is_pending());
        while provider.calls() == calls {
            tokio::task::yield_now().await;
        }
        drop(caller);
        provider.release();
        while name_at(&cache, seconds).await != name {
            tokio::task::yield_now().await;
        }
        assert_eq!(provider.calls(), calls + 1, "{name} was fetched once");
    }
}

#[tokio::test]
async fn failed_renewal_keeps_old_credentials_until_they_expire() {
    let provider = Provider::new([
        until("first", 3_600),
        Err("down"),
        Err("still down"),
        Err("down at the end"),
        until("second", 7_200),
    ]);
    let cache = CredentialsCache::new(provider.clone());
    assert_eq!(name_at(&cache, 0).await, "first");
    assert_eq!(name_at(&cache, 3_000).await, "first");
    // There is a pause of ten seconds between two attempts.
    assert_eq!(name_at(&cache, 3_009).await, "first");
    assert_eq!(provider.calls(), 2);
    assert_eq!(name_at(&cache, 3_599).await, "first");
    assert_eq!(provider.calls(), 3);

    let error = cache.get(after(3_600)).await.unwrap_err();
    assert!(matches!(error, Error::Provider(_)), "{error:?}");
    // The provider is not called again within one second.
    let error = cache.get(after(3_600)).await.unwrap_err();
    assert!(matches!(error, Error::RecentlyFailed(_)), "{error:?}");
    assert_eq!(provider.calls(), 4);
    assert_eq!(name_at(&cache, 3_601).await, "second");
}

#[tokio::test]
async fn expired_credentials_from_provider_are_rejected() {
    let provider = Provider::new([until("late", -1)]);
    let error = CredentialsCache::new(provider)
        .get(start())
        .await
        .unwrap_err();
    assert!(
        matches!(error, Error::Expired(at) if at == after(-1)),
        "{error:?}"
    );
}

#[tokio::test]
async fn hanging_provider_times_out() {
    let limit = Duration::from_millis(5);
    let provider = Provider::new([until("first", 3_600)]).holding();
    let cache = CredentialsCache::with_timeout(provider.clone(), limit);
    let error = cache.get(start()).await.unwrap_err();
    assert!(
        matches!(error, Error::Timeout(at) if at == limit),
        "{error:?}"
    );
    provider.release();
    assert_eq!(name_at(&cache, 1).await, "first");
}

#[test]
fn expiry_is_rounded_down_to_the_second() {
    let end = start() + TimeDelta::milliseconds(999);
    let given = Given::new("id", "secret", None, Some(end.into()), "test");
    assert_eq!(Credentials::from(&given).expires_at(), Some(start()));
}

#[test]
fn debug_output_hides_secrets() {
    let given = Given::new(
        "the-id",
        "the-secret",
        Some("the-token".into()),
        None,
        "test",
    );
    let shown = format!("{:?}", Credentials::from(&given));
    assert!(shown.contains("the-id"), "{shown}");
    assert!(
        !shown.contains("the-secret") && !shown.contains("the-token"),
        "{shown}"
    );
}
