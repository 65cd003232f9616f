//! A pre-signed URL permits only what was signed, and a refused request leaves no trace.

use aws_sdk_s3::presigning::PresignedRequest;

use super::{BUCKET, REGION, SECRET, TestStore, client, expired, for_an_hour, refusal};

const BYTES: &str = "hello";
/// SHA-256 of "hello".
const SHA256: &str = "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=";

/// A URL for `BYTES` at `signed/key`, with a signed type and checksum.
async fn url(store: &TestStore) -> PresignedRequest {
    let put = store
        .s3
        .put_object()
        .bucket(BUCKET)
        .key("signed/key")
        .content_type("text/plain");
    put.content_length(5)
        .checksum_sha256(SHA256)
        .presigned(for_an_hour())
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn presigned_put_rejects_other_size_type_key_or_method() {
    let store = TestStore::start().await;
    let url = url(&store).await;
    let mismatch = (403, "SignatureDoesNotMatch".to_owned());

    let longer = store
        .signed(&url)
        .header("content-length", "6")
        .body("hello!");
    let mut request = longer.build().unwrap();
    request
        .headers_mut()
        .insert("content-length", "6".parse().unwrap());
    assert_eq!(
        refusal(store.http.execute(request).await.unwrap()).await,
        mismatch,
        "another size"
    );

    let mut request = store.signed(&url).body(BYTES).build().unwrap();
    request
        .headers_mut()
        .insert("content-type", "text/html".parse().unwrap());
    assert_eq!(
        refusal(store.http.execute(request).await.unwrap()).await,
        mismatch,
        "another type"
    );

    let mut request = store.signed(&url).body(BYTES).build().unwrap();
    request.headers_mut().remove("content-type");
    assert_eq!(
        refusal(store.http.execute(request).await.unwrap()).await,
        mismatch,
        "no type"
    );

    let mut request = store.signed(&url).body(BYTES).build().unwrap();
    request
        .url_mut()
        .set_path(&format!("/{BUCKET}/signed/other"));
    assert_eq!(
        refusal(store.http.execute(request).await.unwrap()).await,
        mismatch,
        "another key"
    );

    let mut request = store.signed(&url).build().unwrap();
    *request.method_mut() = reqwest::Method::GET;
    request.headers_mut().remove("content-length");
    assert_eq!(
        refusal(store.http.execute(request).await.unwrap()).await,
        mismatch,
        "another method"
    );
    store.assert_untouched().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn expired_foreign_and_anonymous_requests_are_rejected() {
    let store = TestStore::start().await;
    let old = store
        .s3
        .put_object()
        .bucket(BUCKET)
        .key("k")
        .presigned(expired())
        .await
        .unwrap();
    let response = store.signed(&old).body(BYTES).send().await.unwrap();
    assert_eq!(
        refusal(response).await,
        (403, "AccessDenied".to_owned()),
        "expired"
    );

    let stranger = client(store.addr, "another secret", REGION);
    let url = stranger
        .put_object()
        .bucket(BUCKET)
        .key("k")
        .presigned(for_an_hour())
        .await
        .unwrap();
    let response = store.signed(&url).body(BYTES).send().await.unwrap();
    assert_eq!(
        refusal(response).await,
        (403, "SignatureDoesNotMatch".to_owned()),
        "another secret"
    );

    let abroad = client(store.addr, SECRET, "eu-central-1");
    let url = abroad
        .put_object()
        .bucket(BUCKET)
        .key("k")
        .presigned(for_an_hour())
        .await
        .unwrap();
    let response = store.signed(&url).body(BYTES).send().await.unwrap();
    assert_eq!(
        refusal(response).await,
        (400, "AuthorizationQueryParametersError".to_owned()),
        "another region"
    );

    let key = "X-Amz-Credential=AKIDEMBEDDED";
    let uri = url.uri().replace(key, "X-Amz-Credential=AKIDUNKNOWN");
    let response = store.http.put(uri).body(BYTES).send().await.unwrap();
    let unknown = (403, "InvalidAccessKeyId".to_owned());
    assert_eq!(refusal(response).await, unknown, "another access key");

    let plain = format!("http://{}/{BUCKET}/k", store.addr);
    let response = store.http.put(&plain).body(BYTES).send().await.unwrap();
    assert_eq!(
        refusal(response).await,
        (403, "AccessDenied".to_owned()),
        "anonymous"
    );
    let response = store
        .http
        .get(format!("http://{}/{BUCKET}?list-type=2", store.addr))
        .send()
        .await
        .unwrap();
    assert_eq!(
        refusal(response).await,
        (403, "AccessDenied".to_owned()),
        "anonymous list"
    );
    store.assert_untouched().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn unsigned_amz_headers_are_rejected() {
    let store = TestStore::start().await;
    for header in [
        "x-amz-meta-more",
        "x-amz-storage-class",
        "x-amz-tagging",
        "x-amz-checksum-crc32",
    ] {
        let url = url(&store).await;
        let request = store.signed(&url).header(header, "GLACIER").body(BYTES);
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 403, "{header}");
        let body = response.text().await.unwrap();
        assert!(
            body.contains("There were headers present in the request which were not signed"),
            "{body}"
        );
        assert!(body.contains(header), "{body}");
    }
    store.assert_untouched().await;
}
