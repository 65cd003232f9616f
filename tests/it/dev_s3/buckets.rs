//! Buckets, and deleting many objects of one bucket.

use aws_sdk_s3::types::{Delete, ObjectIdentifier};

use super::{BUCKET, TestStore};

#[tokio::test(flavor = "multi_thread")]
async fn buckets_can_be_created_found_and_listed() {
    let store = TestStore::start().await;
    store
        .s3
        .create_bucket()
        .bucket("another")
        .send()
        .await
        .unwrap();
    store
        .s3
        .create_bucket()
        .bucket("another")
        .send()
        .await
        .expect("us-east-1 says 200 to its owner");
    let head = store
        .s3
        .head_bucket()
        .bucket("another")
        .send()
        .await
        .unwrap();
    assert_eq!(head.bucket_region(), Some("us-east-1"));
    let location = store
        .s3
        .get_bucket_location()
        .bucket("another")
        .send()
        .await
        .unwrap();
    assert_eq!(
        location
            .location_constraint()
            .map_or("", |name| name.as_str()),
        "",
        "us-east-1 has no constraint"
    );
    let listed = store.s3.list_buckets().send().await.unwrap();
    let names: Vec<_> = listed
        .buckets()
        .iter()
        .filter_map(|bucket| bucket.name())
        .collect();
    assert_eq!(names, ["another", BUCKET]);
    store.put("k", b"x").await;
    let other = store
        .s3
        .list_objects_v2()
        .bucket("another")
        .send()
        .await
        .unwrap();
    assert_eq!(other.key_count(), Some(0), "a bucket shows its own keys");
    let missing = store
        .s3
        .head_bucket()
        .bucket("nowhere")
        .send()
        .await
        .unwrap_err();
    assert!(missing.into_service_error().is_not_found());
}

#[tokio::test(flavor = "multi_thread")]
async fn delete_objects_reports_each_key() {
    let store = TestStore::start().await;
    for key in ["a", "b", "c"] {
        store.put(key, b"x").await;
    }
    let id = |key: &str| ObjectIdentifier::builder().key(key);
    let delete = Delete::builder()
        .objects(id("a").build().unwrap())
        .objects(id("absent").build().unwrap());
    let delete = delete.objects(
        id("b")
            .e_tag("\"00000000000000000000000000000000\"")
            .build()
            .unwrap(),
    );
    let answer = store
        .s3
        .delete_objects()
        .bucket(BUCKET)
        .delete(delete.build().unwrap())
        .send()
        .await
        .unwrap();
    let deleted: Vec<_> = answer
        .deleted()
        .iter()
        .filter_map(|object| object.key())
        .collect();
    assert_eq!(deleted, ["a", "absent"]);
    let failed: Vec<_> = answer
        .errors()
        .iter()
        .map(|error| (error.key(), error.code()))
        .collect();
    assert_eq!(failed, [(Some("b"), Some("PreconditionFailed"))]);
    assert_eq!(store.read("a").await, None);
    assert_eq!(store.body_files(), 2);
}
