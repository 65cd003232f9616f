//! CopyObject within a bucket, with the metadata of the source or with replaced metadata.

use aws_sdk_s3::error::ProvideErrorMetadata as _;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ChecksumAlgorithm, ChecksumMode, MetadataDirective};

use super::{BUCKET, TestStore};

async fn original(store: &TestStore) {
    let put = store
        .s3
        .put_object()
        .bucket(BUCKET)
        .key("a b+ü")
        .content_type("text/plain")
        .metadata("k", "v");
    put.body(ByteStream::from_static(b"123456789"))
        .send()
        .await
        .unwrap();
}

const SOURCE: &str = "datasets/a%20b%2B%C3%BC";

#[tokio::test(flavor = "multi_thread")]
async fn copy_is_independent_object_with_same_bytes_and_metadata() {
    let store = TestStore::start().await;
    original(&store).await;
    let copy = store
        .s3
        .copy_object()
        .bucket(BUCKET)
        .key("copy")
        .copy_source(SOURCE)
        .send()
        .await
        .unwrap();
    let etag = copy.copy_object_result().unwrap().e_tag().unwrap();
    assert_eq!(etag, "\"25f9e794323b453885f5181f1b624d0b\"");
    store
        .s3
        .delete_object()
        .bucket(BUCKET)
        .key("a b+ü")
        .send()
        .await
        .unwrap();
    assert_eq!(
        store.read("copy").await.as_deref(),
        Some(&b"123456789"[..]),
        "it outlives its original"
    );
    let head = store
        .s3
        .head_object()
        .bucket(BUCKET)
        .key("copy")
        .send()
        .await
        .unwrap();
    assert_eq!(head.content_type(), Some("text/plain"));
    assert_eq!(head.metadata().unwrap()["k"], "v");
}

#[tokio::test(flavor = "multi_thread")]
async fn copy_supports_directives_conditions_and_checksums() {
    let store = TestStore::start().await;
    original(&store).await;
    let copy = |to: &str| {
        store
            .s3
            .copy_object()
            .bucket(BUCKET)
            .key(to)
            .copy_source(SOURCE)
    };
    let itself = copy("a b+ü").send().await.unwrap_err();
    assert_eq!(
        itself.code(),
        Some("InvalidRequest"),
        "nothing would change"
    );
    let replace = copy("a b+ü")
        .metadata_directive(MetadataDirective::Replace)
        .content_type("text/css");
    replace
        .checksum_algorithm(ChecksumAlgorithm::Sha1)
        .send()
        .await
        .unwrap();
    let head = store
        .s3
        .head_object()
        .bucket(BUCKET)
        .key("a b+ü")
        .checksum_mode(ChecksumMode::Enabled);
    let head = head.send().await.unwrap();
    assert_eq!(head.content_type(), Some("text/css"));
    assert!(
        head.metadata().is_none_or(|metadata| metadata.is_empty()),
        "{:?}",
        head.metadata()
    );
    assert_eq!(head.checksum_sha1(), Some("98O8HYCOBHMq32eZZczDTKeuNEE="));

    let stale = copy("other")
        .copy_source_if_match("\"00\"")
        .send()
        .await
        .unwrap_err();
    assert_eq!(stale.code(), Some("PreconditionFailed"));
    let missing = store
        .s3
        .copy_object()
        .bucket(BUCKET)
        .key("other")
        .copy_source("datasets/none")
        .send()
        .await;
    assert_eq!(missing.unwrap_err().code(), Some("NoSuchKey"));
    assert_eq!(store.read("other").await, None);
    assert_eq!(store.body_files(), 1);
}
