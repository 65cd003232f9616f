//! UploadPartCopy copies parts from ranges of an object.

use aws_sdk_s3::error::ProvideErrorMetadata as _;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};

use super::super::{BUCKET, TestStore};

const MIB: usize = 1 << 20;

#[tokio::test(flavor = "multi_thread")]
async fn parts_are_copied_from_ranges_of_an_object() {
    let store = TestStore::start().await;
    let bytes: Vec<u8> = (0..6 * MIB)
        .map(|at| u8::try_from(at % 251).unwrap())
        .collect();
    let put = store.s3.put_object().bucket(BUCKET).key("a b/source");
    let put = put
        .body(ByteStream::from(bytes.clone()))
        .send()
        .await
        .unwrap();
    let etag = put.e_tag().unwrap();
    let begun = store
        .s3
        .create_multipart_upload()
        .bucket(BUCKET)
        .key("copy");
    let begun = begun.send().await.unwrap();
    let id = begun.upload_id().unwrap();
    let copy = |number: i32, range: &str, etag: &str| {
        let copy = store.s3.upload_part_copy().bucket(BUCKET).key("copy");
        copy.upload_id(id)
            .part_number(number)
            .copy_source(format!("{BUCKET}/a%20b/source"))
            .copy_source_range(range)
            .copy_source_if_match(etag)
            .send()
    };
    let half = 5 * MIB;
    let last = bytes.len() - 1;
    let mut parts = Vec::new();
    for (number, range) in [
        (1, format!("bytes=0-{}", half - 1)),
        (2, format!("bytes={half}-{last}")),
    ] {
        let copied = copy(number, &range, etag).await.unwrap();
        let e_tag = copied.copy_part_result().unwrap().e_tag().unwrap();
        parts.push(
            CompletedPart::builder()
                .part_number(number)
                .e_tag(e_tag)
                .build(),
        );
    }
    for (range, etag, code) in [
        (format!("bytes=0-{}", last + 1), etag, "InvalidArgument"),
        ("bytes=9-8".to_owned(), etag, "InvalidArgument"),
        ("0-8".to_owned(), etag, "InvalidArgument"),
        ("bytes=0-8".to_owned(), "\"0123\"", "PreconditionFailed"),
    ] {
        let error = copy(3, &range, etag).await.unwrap_err();
        assert_eq!(error.code(), Some(code), "{range}");
    }
    let complete = store
        .s3
        .complete_multipart_upload()
        .bucket(BUCKET)
        .key("copy");
    let all = CompletedMultipartUpload::builder()
        .set_parts(Some(parts))
        .build();
    let complete = complete.upload_id(id).multipart_upload(all);
    complete.send().await.unwrap();
    let copy = store.read("copy").await.unwrap();
    assert!(copy == bytes, "{} other bytes", copy.len());
}
