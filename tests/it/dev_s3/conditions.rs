//! Conditional writes and deletes are decided atomically, also for fifty concurrent requests.

use aws_sdk_s3::error::ProvideErrorMetadata as _;
use aws_sdk_s3::primitives::ByteStream;
use tokio::task::JoinSet;

use super::{BUCKET, TestStore, for_an_hour, refusal};

#[tokio::test(flavor = "multi_thread")]
async fn a_presigned_url_with_if_none_match_works_once() {
    let store = TestStore::start().await;
    let put = store
        .s3
        .put_object()
        .bucket(BUCKET)
        .key("once")
        .if_none_match("*");
    let url = put.presigned(for_an_hour()).await.unwrap();
    assert_eq!(
        store
            .signed(&url)
            .body("first")
            .send()
            .await
            .unwrap()
            .status(),
        200
    );
    let second = store.signed(&url).body("second").send().await.unwrap();
    assert_eq!(
        refusal(second).await,
        (412, "PreconditionFailed".to_owned())
    );
    assert_eq!(store.read("once").await.as_deref(), Some(&b"first"[..]));

    store
        .s3
        .delete_object()
        .bucket(BUCKET)
        .key("once")
        .send()
        .await
        .unwrap();
    assert_eq!(
        store
            .signed(&url)
            .body("third")
            .send()
            .await
            .unwrap()
            .status(),
        200,
        "a delete re-arms it"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fifty_concurrent_if_none_match_writes_have_one_winner() {
    let store = TestStore::start().await;
    let put = store
        .s3
        .put_object()
        .bucket(BUCKET)
        .key("race")
        .if_none_match("*");
    let url = put.presigned(for_an_hour()).await.unwrap();
    let mut writers = JoinSet::new();
    for n in 0..50 {
        let request = store.signed(&url).body(format!("writer {n}"));
        writers.spawn(async move { (n, request.send().await.unwrap()) });
    }
    let mut won = Vec::new();
    while let Some(done) = writers.join_next().await {
        let (n, response) = done.unwrap();
        match response.status().as_u16() {
            200 => won.push(n),
            _ => assert_eq!(
                refusal(response).await,
                (412, "PreconditionFailed".to_owned())
            ),
        }
    }
    assert_eq!(won.len(), 1, "winners: {won:?}");
    assert_eq!(
        store.read("race").await,
        Some(format!("writer {}", won[0]).into_bytes())
    );
    assert_eq!(store.body_files(), 1, "the losers' bytes are gone");
    assert_eq!(store.events.lock().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fifty_concurrent_if_match_writes_have_one_winner() {
    let store = TestStore::start().await;
    store.put("race", b"old").await;
    let head = store
        .s3
        .head_object()
        .bucket(BUCKET)
        .key("race")
        .send()
        .await
        .unwrap();
    let mut writers = JoinSet::new();
    for n in 0..50 {
        let put = store
            .s3
            .put_object()
            .bucket(BUCKET)
            .key("race")
            .if_match(head.e_tag().unwrap());
        let put = put.body(ByteStream::from(format!("new {n}").into_bytes()));
        writers.spawn(async move {
            put.send()
                .await
                .map_err(|error| error.code().map(str::to_owned))
        });
    }
    let results = writers.join_all().await;
    let won = results.iter().filter(|result| result.is_ok()).count();
    assert_eq!(won, 1, "{results:?}");
    let lost = |result: &Result<_, Option<String>>| matches!(result, Err(Some(code)) if code == "PreconditionFailed");
    assert_eq!(
        results.iter().filter(|result| lost(result)).count(),
        49,
        "{results:?}"
    );
    assert_eq!(store.body_files(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn if_match_write_requires_current_etag() {
    let store = TestStore::start().await;
    let put = |etag: &str| {
        store
            .s3
            .put_object()
            .bucket(BUCKET)
            .key("k")
            .if_match(etag)
            .body(ByteStream::from_static(b"new"))
    };
    let absent = put("\"00000000000000000000000000000000\"")
        .send()
        .await
        .unwrap_err();
    assert_eq!(
        absent.code(),
        Some("NoSuchKey"),
        "S3 answers 404 when there is nothing to match"
    );
    store.put("k", b"old").await;
    let wrong = put("\"00000000000000000000000000000000\"")
        .send()
        .await
        .unwrap_err();
    assert_eq!(wrong.code(), Some("PreconditionFailed"));
    assert_eq!(store.read("k").await.as_deref(), Some(&b"old"[..]));
    let head = store
        .s3
        .head_object()
        .bucket(BUCKET)
        .key("k")
        .send()
        .await
        .unwrap();
    put(head.e_tag().unwrap()).send().await.unwrap();
    assert_eq!(store.read("k").await.as_deref(), Some(&b"new"[..]));
}

#[tokio::test(flavor = "multi_thread")]
async fn delete_supports_if_match_and_is_idempotent() {
    let store = TestStore::start().await;
    store.put("k", b"bytes").await;
    let delete = || store.s3.delete_object().bucket(BUCKET).key("k");
    let wrong = delete()
        .if_match("\"00000000000000000000000000000000\"")
        .send()
        .await
        .unwrap_err();
    assert_eq!(wrong.code(), Some("PreconditionFailed"));
    assert!(store.read("k").await.is_some());
    let head = store
        .s3
        .head_object()
        .bucket(BUCKET)
        .key("k")
        .send()
        .await
        .unwrap();
    delete()
        .if_match(head.e_tag().unwrap())
        .send()
        .await
        .unwrap();
    assert_eq!(store.read("k").await, None);
    assert_eq!(store.body_files(), 0);
    delete().send().await.expect("204 for what is not there");
    let gone = delete().if_match("*").send().await.unwrap_err();
    assert_eq!(gone.code(), Some("NoSuchKey"));
}

#[tokio::test(flavor = "multi_thread")]
async fn get_supports_conditional_headers() {
    let store = TestStore::start().await;
    store.put("k", b"bytes").await;
    let head = store
        .s3
        .head_object()
        .bucket(BUCKET)
        .key("k")
        .send()
        .await
        .unwrap();
    let etag = head.e_tag().unwrap();
    let status = |error: aws_sdk_s3::error::SdkError<
        aws_sdk_s3::operation::get_object::GetObjectError,
    >| { error.raw_response().map(|raw| raw.status().as_u16()) };
    let get = || store.s3.get_object().bucket(BUCKET).key("k");
    assert_eq!(
        status(get().if_none_match(etag).send().await.unwrap_err()),
        Some(304)
    );
    assert_eq!(
        status(get().if_match("\"00\"").send().await.unwrap_err()),
        Some(412)
    );
    let since = *head.last_modified().unwrap();
    assert_eq!(
        status(get().if_modified_since(since).send().await.unwrap_err()),
        Some(304)
    );
    get()
        .if_match(etag)
        .if_unmodified_since(since)
        .send()
        .await
        .expect("unchanged since");
}
