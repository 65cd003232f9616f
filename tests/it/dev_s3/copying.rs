//! CopyObject: within a bucket, keeping or replacing what is said of the object.

use aws_sdk_s3::error::ProvideErrorMetadata as _;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ChecksumAlgorithm, ChecksumMode, MetadataDirective};

use super::{BUCKET, Stand};

async fn original(stand: &Stand) {
    let put = stand
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
    let stand = Stand::start().await;
    original(&stand).await;
    let copy = stand
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
    stand
        .s3
        .delete_object()
        .bucket(BUCKET)
        .key("a b+ü")
        .send()
        .await
        .unwrap();
    assert_eq!(
        stand.read("copy").await.as_deref(),
        Some(&b"123456789"[..]),
        "it outlives its original"
    );
    let head = stand
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
    let stand = Stand::start().await;
    original(&stand).await;
    let copy = |to: &str| {
        stand
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
    let head = stand
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
    let missing = stand
        .s3
        .copy_object()
        .bucket(BUCKET)
        .key("other")
        .copy_source("datasets/none")
        .send()
        .await;
    assert_eq!(missing.unwrap_err().code(), Some("NoSuchKey"));
    assert_eq!(stand.read("other").await, None);
    assert_eq!(stand.body_files(), 1);
}
