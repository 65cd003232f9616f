//! Bytes, headers, metadata and checksums are stored and returned unchanged.

use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ChecksumMode, ChecksumType, StorageClass};

use super::{BUCKET, TestStore, for_an_hour};

/// "123456789", the check input of the CRC catalogue.
const CHECK: &[u8] = b"123456789";
const CHECK_MD5: &str = "\"25f9e794323b453885f5181f1b624d0b\"";
const CHECK_CRC64NVME: &str = "rosUhgp5mIg=";
const CHECK_SHA256: &str = "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU=";

#[tokio::test(flavor = "multi_thread")]
async fn presigned_put_stores_bytes_headers_metadata_and_tags() {
    let store = TestStore::start().await;
    let bytes: Vec<u8> = (0..3_000_000_u32)
        .map(|n| n.to_le_bytes()[0] ^ n.to_le_bytes()[1])
        .collect();
    let put = store.s3.put_object().bucket(BUCKET).key("a b/ü+%.bin");
    let put = put
        .content_type("image/x-thing")
        .content_length(3_000_000)
        .metadata("upload-id", "u-1");
    let put = put
        .content_disposition("attachment")
        .content_language("de")
        .cache_control("no-store");
    let put = put
        .content_encoding("x-own")
        .tagging("kind=test&step=1")
        .storage_class(StorageClass::StandardIa);
    let url = put
        .if_none_match("*")
        .presigned(for_an_hour())
        .await
        .unwrap();
    let response = store.signed(&url).body(bytes.clone()).send().await.unwrap();
    assert_eq!(response.status(), 200, "{:?}", response.text().await);
    let etag = response.headers()["etag"].to_str().unwrap().to_owned();

    let got = store
        .s3
        .get_object()
        .bucket(BUCKET)
        .key("a b/ü+%.bin")
        .send()
        .await
        .unwrap();
    assert_eq!(got.e_tag(), Some(etag.as_str()));
    assert_eq!(got.content_type(), Some("image/x-thing"));
    assert_eq!(got.content_disposition(), Some("attachment"));
    assert_eq!(got.content_language(), Some("de"));
    assert_eq!(got.cache_control(), Some("no-store"));
    assert_eq!(got.content_encoding(), Some("x-own"));
    assert_eq!(got.storage_class(), Some(&StorageClass::StandardIa));
    assert_eq!(got.tag_count(), Some(2));
    assert_eq!(got.metadata().unwrap()["upload-id"], "u-1");
    assert_eq!(got.content_length(), Some(3_000_000));
    let back = got.body.collect().await.unwrap().into_bytes();
    assert!(back == bytes, "the bytes differ");

    let tags = store
        .s3
        .get_object_tagging()
        .bucket(BUCKET)
        .key("a b/ü+%.bin")
        .send()
        .await
        .unwrap();
    let tags: Vec<_> = tags
        .tag_set()
        .iter()
        .map(|tag| (tag.key(), tag.value()))
        .collect();
    assert_eq!(tags, [("kind", "test"), ("step", "1")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn put_without_declared_checksum_gets_crc64nvme() {
    let store = TestStore::start().await;
    let put = store.s3.put_object().bucket(BUCKET).key("check");
    let url = put.presigned(for_an_hour()).await.unwrap();
    let response = store.signed(&url).body(CHECK).send().await.unwrap();
    assert_eq!(
        response.headers()["x-amz-checksum-crc64nvme"],
        CHECK_CRC64NVME
    );
    let head = store.s3.head_object().bucket(BUCKET).key("check");
    let head = head
        .checksum_mode(ChecksumMode::Enabled)
        .send()
        .await
        .unwrap();
    assert_eq!(head.e_tag(), Some(CHECK_MD5));
    assert_eq!(head.checksum_crc64_nvme(), Some(CHECK_CRC64NVME));
    assert_eq!(head.checksum_type(), Some(&ChecksumType::FullObject));
    assert_eq!(
        head.content_type(),
        Some("binary/octet-stream"),
        "S3's default"
    );

    let plain = store
        .s3
        .head_object()
        .bucket(BUCKET)
        .key("check")
        .send()
        .await
        .unwrap();
    assert_eq!(plain.checksum_crc64_nvme(), None, "only when asked");
}

#[tokio::test(flavor = "multi_thread")]
async fn put_with_declared_checksum_keeps_only_that() {
    let store = TestStore::start().await;
    let put = store
        .s3
        .put_object()
        .bucket(BUCKET)
        .key("check")
        .checksum_sha256(CHECK_SHA256);
    let url = put.presigned(for_an_hour()).await.unwrap();
    let response = store.signed(&url).body(CHECK).send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["x-amz-checksum-sha256"], CHECK_SHA256);
    let get = store.s3.get_object().bucket(BUCKET).key("check");
    let get = get
        .checksum_mode(ChecksumMode::Enabled)
        .send()
        .await
        .unwrap();
    assert_eq!(get.checksum_sha256(), Some(CHECK_SHA256));
    assert_eq!(get.checksum_crc64_nvme(), None);
    assert_eq!(get.checksum_type(), Some(&ChecksumType::FullObject));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_sdk_checksum_algorithm_works_in_headers_and_trailers() {
    let store = TestStore::start().await;
    let all = ["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"];
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), CHECK).unwrap();
    // The SDK sends bytes in memory with a header, and a stream as aws-chunked with a trailer.
    for (name, streamed) in all
        .into_iter()
        .flat_map(|name| [(name, false), (name, true)])
    {
        let body = match streamed {
            false => ByteStream::from_static(CHECK),
            true => ByteStream::from_path(file.path()).await.unwrap(),
        };
        let put = store
            .s3
            .put_object()
            .bucket(BUCKET)
            .key(name)
            .checksum_algorithm(name.into());
        put.body(body)
            .send()
            .await
            .unwrap_or_else(|error| panic!("{name}, streamed: {streamed}: {error:?}"));
        let head = store.s3.head_object().bucket(BUCKET).key(name);
        let head = head
            .checksum_mode(ChecksumMode::Enabled)
            .send()
            .await
            .unwrap();
        let found = [
            head.checksum_crc32(),
            head.checksum_crc32_c(),
            head.checksum_crc64_nvme(),
            head.checksum_sha1(),
            head.checksum_sha256(),
        ];
        let kept: Vec<_> = all
            .iter()
            .zip(found)
            .filter_map(|(name, sum)| sum.map(|_| *name))
            .collect();
        assert_eq!(kept, [name]);
        assert_eq!(store.read(name).await.as_deref(), Some(CHECK));
        assert_eq!(head.content_encoding(), None, "aws-chunked is not kept");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn empty_object_is_stored() {
    let store = TestStore::start().await;
    store.put("empty", b"").await;
    assert_eq!(store.read("empty").await.as_deref(), Some(&b""[..]));
    let head = store
        .s3
        .head_object()
        .bucket(BUCKET)
        .key("empty")
        .send()
        .await
        .unwrap();
    assert_eq!(head.e_tag(), Some("\"d41d8cd98f00b204e9800998ecf8427e\""));
}
