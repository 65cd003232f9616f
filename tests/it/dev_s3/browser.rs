//! A web page of any origin can upload and read the answers.

use super::{BUCKET, TestStore, for_an_hour, refusal};

#[tokio::test(flavor = "multi_thread")]
async fn preflight_allows_requested_method_and_headers() {
    let store = TestStore::start().await;
    let url = store
        .s3
        .put_object()
        .bucket(BUCKET)
        .key("k")
        .presigned(for_an_hour())
        .await
        .unwrap();
    let ask = store
        .http
        .request(reqwest::Method::OPTIONS, url.uri())
        .header("origin", "https://app.example");
    let ask = ask.header("access-control-request-method", "PUT");
    let response = ask
        .header(
            "access-control-request-headers",
            "content-type,if-none-match,x-amz-meta-upload-id",
        )
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 200);
    let headers = response.headers();
    assert_eq!(headers["access-control-allow-origin"], "*");
    assert_eq!(
        headers["access-control-allow-methods"],
        "GET, PUT, POST, HEAD, DELETE"
    );
    assert_eq!(
        headers["access-control-allow-headers"],
        "content-type,if-none-match,x-amz-meta-upload-id"
    );
    assert_eq!(headers["access-control-max-age"], "3600");
    let url = format!("http://{}/{BUCKET}/k", store.addr);
    let bare = store
        .http
        .request(reqwest::Method::OPTIONS, url)
        .send()
        .await
        .unwrap();
    assert_eq!(refusal(bare).await, (400, "BadRequest".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_and_errors_expose_headers_to_scripts() {
    let store = TestStore::start().await;
    let url = store
        .s3
        .put_object()
        .bucket(BUCKET)
        .key("k")
        .if_none_match("*")
        .presigned(for_an_hour())
        .await
        .unwrap();
    for status in [200, 412] {
        let response = store
            .signed(&url)
            .header("origin", "https://app.example")
            .body("x")
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), status);
        assert_eq!(response.headers()["access-control-allow-origin"], "*");
        let exposed = response.headers()["access-control-expose-headers"]
            .to_str()
            .unwrap();
        for name in [
            "ETag",
            "Location",
            "x-amz-checksum-crc64nvme",
            "x-amz-version-id",
            "x-amz-request-id",
        ] {
            assert!(
                exposed.split(", ").any(|known| known == name),
                "{name} is not in {exposed}"
            );
        }
        assert_eq!(response.headers()["x-amz-request-id"].len(), 32);
    }
}
