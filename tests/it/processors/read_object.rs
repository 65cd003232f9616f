//! Objects are read as they were proven, whatever happens to the connection and to the object.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use aws_credential_types::provider::SharedCredentialsProvider;
use futures::{StreamExt as _, TryStreamExt as _};
use reqwest::header::ETAG;
use upload_broker::domain::abilities::{Abilities, Support};
use upload_broker::objects::read::{RANGE_BYTES, ReadError, ReadObject};
use upload_broker::objects::{KnownAbilities, ObjectStore, client};
use upload_broker::telemetry::metrics::Metrics;

use crate::support::app::now;
use crate::support::cloud::{self, Bucket};
use crate::support::faulty_proxy::{FaultyProxy, Mode};
use crate::support::gate::Gate;
use crate::support::rewriting_proxy::{ProxiedResponse, Rewrite, RewritingProxy};
use crate::support::setup::sdk;
use crate::support::store::Store;

const KEY: &str = "data/large.csv";

fn store_at(endpoint: &str, bucket: &Bucket) -> ObjectStore {
    let sdk = sdk(
        endpoint,
        SharedCredentialsProvider::new(cloud::credentials()),
    );
    let metrics = Arc::new(Metrics::new(now()).expect("metrics"));
    let known = KnownAbilities::new(Abilities::all(Support::Yes));
    ObjectStore::new(
        client::build(&sdk, true, None),
        &bucket.name,
        known,
        metrics,
    )
}

/// Bytes that differ at every place.
fn pattern(size: u64) -> Vec<u8> {
    (0..size)
        .map(|n| (n % 251 + n / 65_536 % 5) as u8)
        .collect()
}

/// Writes an object, and returns what its proof says.
async fn put(bucket: &Bucket, bytes: &[u8]) -> ReadObject {
    bucket.put(KEY, bytes).await;
    let head = bucket.head(KEY).await.expect("an object");
    ReadObject {
        key: KEY.to_owned(),
        etag: head.e_tag().expect("an ETag").to_owned(),
        version_id: head.version_id().map(str::to_owned),
        size: bytes.len() as u64,
    }
}

async fn read_all(store: &ObjectStore, object: &ReadObject) -> Result<Vec<u8>, ReadError> {
    let chunks: Vec<_> = store.read(object.clone()).try_collect().await?;
    Ok(chunks.concat())
}

#[tokio::test]
async fn objects_of_every_size_are_read_in_ranges() {
    let embedded = Store::start().await;
    let bucket = Bucket::at(&embedded.endpoint()).await;
    let store = store_at(&embedded.endpoint(), &bucket);
    for size in [0, 1, RANGE_BYTES, RANGE_BYTES + 1, 5 * RANGE_BYTES / 2] {
        let bytes = pattern(size);
        let object = put(&bucket, &bytes).await;
        let chunks: Vec<_> = store.read(object).try_collect().await.expect("the object");
        let ranges = size.div_ceil(RANGE_BYTES).max(1);
        assert_eq!(chunks.len() as u64, ranges, "{size}");
        assert!(chunks.concat() == bytes, "{size}");
    }
}

#[tokio::test]
async fn read_continues_in_the_middle_of_each_broken_response() {
    let embedded = Store::start().await;
    let bucket = Bucket::at(&embedded.endpoint()).await;
    let bytes = pattern(RANGE_BYTES * 2 + 12_345);
    let object = put(&bucket, &bytes).await;
    let proxy = FaultyProxy::new(embedded.addr());
    proxy.set_mode(Mode::Truncate(embedded.addr(), 3_000_000));
    let read = read_all(&store_at(&proxy.endpoint(), &bucket), &object).await;
    assert!(read.expect("the object") == bytes);
}

#[tokio::test]
async fn read_goes_on_after_the_store_was_away() {
    let embedded = Store::start().await;
    let bucket = Bucket::at(&embedded.endpoint()).await;
    let bytes = pattern(RANGE_BYTES * 5);
    let object = put(&bucket, &bytes).await;
    let gate = Gate::new(embedded.addr());
    let store = store_at(&gate.endpoint(), &bucket);
    let mut chunks = Box::pin(store.read(object));
    let mut read = chunks
        .next()
        .await
        .expect("a chunk")
        .expect("bytes")
        .to_vec();
    gate.close().await;
    let back = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        gate.restore();
    };
    let rest = async {
        while let Some(chunk) = chunks.next().await {
            read.extend(chunk.expect("bytes"));
        }
    };
    tokio::join!(back, rest);
    assert!(read == bytes);
}

#[tokio::test]
async fn replaced_object_is_never_read() {
    // Ministack and the embedded store.
    let embedded = Store::start().await;
    for endpoint in [cloud::endpoint(), embedded.endpoint()] {
        let bucket = Bucket::at(&endpoint).await;
        let store = store_at(&endpoint, &bucket);
        let object = put(&bucket, &pattern(RANGE_BYTES * 4)).await;
        let mut chunks = Box::pin(store.read(object.clone()));
        chunks.next().await.expect("a chunk").expect("bytes");
        // The same size, so that nothing but the ETag differs.
        bucket.put(KEY, vec![0; object.size as usize]).await;
        let rest: Vec<_> = chunks.collect().await;
        let (last, before) = rest.split_last().expect("a chunk");
        assert!(matches!(last, Err(ReadError::Changed)), "{last:?}");
        assert!(before.iter().all(Result::is_ok), "one error, at the end");
        let read = read_all(&store, &object).await;
        assert!(matches!(read, Err(ReadError::Changed)), "{read:?}");
        bucket.remove(KEY).await;
        let read = read_all(&store, &object).await;
        assert!(matches!(read, Err(ReadError::Missing)), "{read:?}");
    }
}

#[tokio::test]
async fn proven_version_is_read_after_it_was_replaced_and_removed() {
    let bucket = Bucket::new().await;
    bucket.keep_versions().await;
    let store = store_at(&cloud::endpoint(), &bucket);
    // Ministack ignores the range of a request for a version, so the object has only one.
    let bytes = pattern(RANGE_BYTES);
    let object = put(&bucket, &bytes).await;
    assert!(object.version_id.is_some());
    bucket.put(KEY, "another").await;
    assert!(read_all(&store, &object).await.expect("the version") == bytes);
    bucket.remove(KEY).await;
    assert!(read_all(&store, &object).await.expect("the version") == bytes);
}

#[tokio::test]
async fn store_that_ignores_conditions_and_ranges_gives_an_error_and_no_bytes() {
    let proxy = RewritingProxy::new(cloud::address()).await;
    let bucket = Bucket::new().await;
    let store = store_at(&proxy.endpoint(), &bucket);
    let object = put(&bucket, &pattern(RANGE_BYTES * 2)).await;
    let gets = |change: fn(&mut ProxiedResponse)| {
        proxy.set_rule(move |asked| asked.is("GET", KEY).then_some(Rewrite::Modify(change)));
    };
    gets(|answer| drop(answer.headers.insert(ETAG, "\"other\"".parse().unwrap())));
    let read = read_all(&store, &object).await;
    assert!(matches!(read, Err(ReadError::Changed)), "{read:?}");
    gets(|answer| {
        answer.status = 200;
        answer.headers.remove("content-range");
    });
    let read = read_all(&store, &object).await;
    assert!(
        matches!(read, Err(ReadError::Changed | ReadError::Store(_))),
        "{read:?}"
    );
    gets(|answer| {
        let shifted = format!("bytes 1-{RANGE_BYTES}/{}", RANGE_BYTES * 2);
        answer
            .headers
            .insert("content-range", shifted.parse().unwrap());
    });
    let read = read_all(&store, &object).await;
    assert!(matches!(read, Err(ReadError::Store(_))), "{read:?}");
}

#[tokio::test]
async fn every_request_is_conditional_and_few_are_sent_in_advance() {
    let proxy = RewritingProxy::new(cloud::address()).await;
    let bucket = Bucket::new().await;
    let store = store_at(&proxy.endpoint(), &bucket);
    let object = put(&bucket, &pattern(RANGE_BYTES * 6)).await;
    let mut chunks = Box::pin(store.read(object.clone()));
    assert_eq!(proxy.requests().len(), 0, "nothing before the first poll");
    chunks.next().await.expect("a chunk").expect("bytes");
    tokio::time::sleep(Duration::from_millis(200)).await;
    let sent = proxy.count(|asked| asked.is("GET", KEY));
    assert!(sent <= 3, "{sent} requests for one chunk");
    chunks
        .for_each(|chunk| async { drop(chunk.expect("bytes")) })
        .await;
    for asked in proxy.requests() {
        assert_eq!(asked.headers["if-match"], object.etag, "{asked:?}");
        assert!(asked.has("range"), "{asked:?}");
    }
}

#[tokio::test]
async fn server_errors_are_retried_and_refusals_are_not() {
    let proxy = RewritingProxy::new(cloud::address()).await;
    let bucket = Bucket::new().await;
    let store = store_at(&proxy.endpoint(), &bucket);
    let bytes = pattern(1_000);
    let object = put(&bucket, &bytes).await;
    let failures = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&failures);
    proxy.set_rule(move |asked| {
        let fails = asked.is("GET", KEY) && count.fetch_add(1, Ordering::Relaxed) < 5;
        fails.then(|| Rewrite::Replace(ProxiedResponse::error(503, "SlowDown")))
    });
    assert_eq!(read_all(&store, &object).await.expect("the object"), bytes);
    proxy.set_rule(|asked| {
        let refused = || Rewrite::Replace(ProxiedResponse::error(403, "AccessDenied"));
        asked.is("GET", KEY).then(refused)
    });
    let before = proxy.requests().len();
    let read = read_all(&store, &object).await;
    assert!(
        matches!(&read, Err(error) if !error.is_temporary()),
        "{read:?}"
    );
    assert_eq!(proxy.requests().len() - before, 1);
}
