//! Reads with ranges and with overridden response headers.

use aws_sdk_s3::error::ProvideErrorMetadata as _;
use aws_sdk_s3::types::ChecksumMode;

use super::{BUCKET, TestStore, for_an_hour};

#[tokio::test(flavor = "multi_thread")]
async fn range_requests_return_requested_bytes() {
    let store = TestStore::start().await;
    let bytes: Vec<u8> = (0..1_000_000_u32).map(|n| n.to_le_bytes()[1]).collect();
    store.put("k", &bytes).await;
    for (range, from, to) in [
        ("0-0", 0, 1),
        ("10-19", 10, 20),
        ("300000-899999", 300_000, 900_000),
        ("999990-", 999_990, 1_000_000),
        ("-7", 999_993, 1_000_000),
        ("5-99999999", 5, 1_000_000),
    ] {
        let get = store
            .s3
            .get_object()
            .bucket(BUCKET)
            .key("k")
            .presigned(for_an_hour())
            .await
            .unwrap();
        let response = store
            .signed(&get)
            .header("range", format!("bytes={range}"))
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), 206, "{range}");
        let expected = format!("bytes {from}-{}/1000000", to - 1);
        assert_eq!(
            response.headers()["content-range"].to_str().unwrap(),
            expected
        );
        assert!(
            response.bytes().await.unwrap() == bytes[from..to],
            "{range}"
        );
    }
    let get = store
        .s3
        .get_object()
        .bucket(BUCKET)
        .key("k")
        .range("bytes=1000000-")
        .send()
        .await
        .unwrap_err();
    assert_eq!(get.code(), Some("InvalidRange"));
    let part = store
        .s3
        .get_object()
        .bucket(BUCKET)
        .key("k")
        .range("bytes=0-9");
    let part = part
        .checksum_mode(ChecksumMode::Enabled)
        .send()
        .await
        .unwrap();
    assert_eq!(
        part.checksum_crc64_nvme(),
        None,
        "the whole's checksum is not the part's"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn presigned_get_overrides_content_type_and_disposition() {
    let store = TestStore::start().await;
    store.put("k", b"hello").await;
    let get = store
        .s3
        .get_object()
        .bucket(BUCKET)
        .key("k")
        .response_content_type("text/x-own");
    let get = get
        .response_content_disposition("attachment; filename=\"a b.txt\"")
        .presigned(for_an_hour())
        .await
        .unwrap();
    let response = store.signed(&get).send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(
        response.headers()["content-disposition"],
        "attachment; filename=\"a b.txt\""
    );
    assert_eq!(response.headers()["content-type"], "text/x-own");
    assert_eq!(response.headers()["content-length"], "5");
    assert_eq!(response.text().await.unwrap(), "hello");
}
