//! The observer gets one event for each change, in the order of the sequencer.

use aws_sdk_s3::primitives::ByteStream;
use upload_broker::dev::s3::EventName;

use super::{BUCKET, TestStore};

#[tokio::test(flavor = "multi_thread")]
async fn observer_gets_each_change_with_increasing_sequencer() {
    let store = TestStore::start().await;
    store.put("a b", b"hello").await;
    store
        .s3
        .copy_object()
        .bucket(BUCKET)
        .key("c")
        .copy_source("datasets/a%20b")
        .send()
        .await
        .unwrap();
    let failed = store
        .s3
        .put_object()
        .bucket(BUCKET)
        .key("c")
        .if_none_match("*");
    failed
        .body(ByteStream::from_static(b"x"))
        .send()
        .await
        .expect_err("it exists");
    store
        .s3
        .delete_object()
        .bucket(BUCKET)
        .key("a b")
        .send()
        .await
        .unwrap();
    store
        .s3
        .delete_object()
        .bucket(BUCKET)
        .key("a b")
        .send()
        .await
        .unwrap();

    let seen = store.events.lock().unwrap().clone();
    let changes: Vec<_> = seen
        .iter()
        .map(|event| (event.name, event.key.as_str(), event.size))
        .collect();
    let expected = [
        (EventName::CreatedPut, "a b", Some(5)),
        (EventName::CreatedCopy, "c", Some(5)),
        (EventName::RemovedDelete, "a b", None),
    ];
    assert_eq!(changes, expected);
    assert_eq!(
        seen[0].etag.as_deref(),
        Some("5d41402abc4b2a76b9719d911017c592")
    );
    assert!(
        seen.is_sorted_by(|a, b| a.sequencer < b.sequencer),
        "{seen:?}"
    );

    let store = store.restart().await;
    store.put("d", b"").await;
    let later = store.events.lock().unwrap()[0].sequencer.clone();
    assert!(
        later > seen[2].sequencer,
        "{later} after a restart, {} before",
        seen[2].sequencer
    );
}
