//! A body that does not match its declaration is rejected as a whole, and the answer arrives.

use super::{BUCKET, TestStore, for_an_hour, refusal};

const BYTES: &str = "hello";
/// SHA-256 of "hello".
const SHA256: &str = "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=";

#[tokio::test(flavor = "multi_thread")]
async fn put_with_wrong_checksum_or_md5_is_bad_digest() {
    let store = TestStore::start().await;
    let put = store
        .s3
        .put_object()
        .bucket(BUCKET)
        .key("k")
        .checksum_sha256(SHA256);
    let url = put.presigned(for_an_hour()).await.unwrap();
    let response = store.signed(&url).body("HELLO").send().await.unwrap();
    assert_eq!(refusal(response).await, (400, "BadDigest".to_owned()));

    let put = store
        .s3
        .put_object()
        .bucket(BUCKET)
        .key("k")
        .content_md5("XUFAKrxLKna5cZ2REBfFkg==");
    let url = put.presigned(for_an_hour()).await.unwrap();
    let response = store.signed(&url).body("HELLO").send().await.unwrap();
    assert_eq!(
        refusal(response).await,
        (400, "BadDigest".to_owned()),
        "Content-MD5"
    );
    store.assert_untouched().await;

    let response = store.signed(&url).body(BYTES).send().await.unwrap();
    assert_eq!(response.status(), 200, "the right bytes are taken");
}

#[tokio::test(flavor = "multi_thread")]
async fn put_with_malformed_or_multiple_checksums_is_rejected() {
    let store = TestStore::start().await;
    let put = store.s3.put_object().bucket(BUCKET).key("k");
    let url = put
        .checksum_sha256("short")
        .presigned(for_an_hour())
        .await
        .unwrap();
    let response = store.signed(&url).body(BYTES).send().await.unwrap();
    assert_eq!(refusal(response).await, (400, "InvalidRequest".to_owned()));

    let put = store
        .s3
        .put_object()
        .bucket(BUCKET)
        .key("k")
        .checksum_sha256(SHA256);
    let url = put
        .checksum_crc32("NhCmhg==")
        .presigned(for_an_hour())
        .await
        .unwrap();
    let response = store.signed(&url).body(BYTES).send().await.unwrap();
    assert_eq!(
        refusal(response).await,
        (400, "InvalidRequest".to_owned()),
        "two at once"
    );

    let url = store
        .s3
        .put_object()
        .bucket(BUCKET)
        .key("k")
        .content_md5("no md5");
    let url = url.presigned(for_an_hour()).await.unwrap();
    let response = store.signed(&url).body(BYTES).send().await.unwrap();
    assert_eq!(refusal(response).await, (400, "InvalidDigest".to_owned()));
    store.assert_untouched().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn put_without_length_or_bucket_is_rejected() {
    let store = TestStore::start().await;
    let url = store
        .s3
        .put_object()
        .bucket(BUCKET)
        .key("k")
        .presigned(for_an_hour())
        .await
        .unwrap();
    let chunks = futures::stream::iter([Ok::<_, std::io::Error>("hel"), Ok("lo")]);
    let response = store
        .signed(&url)
        .body(reqwest::Body::wrap_stream(chunks))
        .send()
        .await
        .unwrap();
    assert_eq!(
        refusal(response).await,
        (411, "MissingContentLength".to_owned())
    );

    let url = store
        .s3
        .put_object()
        .bucket("no-such-bucket")
        .key("k")
        .presigned(for_an_hour())
        .await
        .unwrap();
    let response = store.signed(&url).body(BYTES).send().await.unwrap();
    assert_eq!(refusal(response).await, (404, "NoSuchBucket".to_owned()));
    store.assert_untouched().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn unsupported_operations_are_not_implemented() {
    let store = TestStore::start().await;
    let error = store
        .s3
        .get_object_acl()
        .bucket(BUCKET)
        .key("k")
        .send()
        .await
        .unwrap_err();
    assert_eq!(
        error.raw_response().map(|raw| raw.status().as_u16()),
        Some(501),
        "{error:?}"
    );
    let put = store
        .s3
        .put_object()
        .bucket(BUCKET)
        .key("k")
        .if_none_match("\"an etag\"");
    let url = put.presigned(for_an_hour()).await.unwrap();
    let response = store.signed(&url).body(BYTES).send().await.unwrap();
    assert_eq!(refusal(response).await, (501, "NotImplemented".to_owned()));
    store.assert_untouched().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_large_body_still_gets_the_answer() {
    let store = TestStore::start().await;
    let put = store
        .s3
        .put_object()
        .bucket(BUCKET)
        .key("k")
        .content_type("text/plain");
    let url = put.presigned(for_an_hour()).await.unwrap();
    let mut request = store
        .signed(&url)
        .body(vec![7_u8; 8 << 20])
        .build()
        .unwrap();
    request
        .headers_mut()
        .insert("content-type", "text/html".parse().unwrap());
    let response = store.http.execute(request).await.unwrap();
    assert_eq!(
        refusal(response).await,
        (403, "SignatureDoesNotMatch".to_owned())
    );
    store.assert_untouched().await;
}
