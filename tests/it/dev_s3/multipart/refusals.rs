//! Every refusal of a part and of a completion; none of them leaves anything behind.

use super::super::{for_an_hour, refusal};
use super::*;

/// SHA-256 of "hello".
const SHA256: &str = "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=";
const NO_ETAG: &str = "\"00000000000000000000000000000000\"";

#[tokio::test(flavor = "multi_thread")]
async fn part_with_wrong_digest_or_without_length_is_not_stored() {
    let store = TestStore::start().await;
    let upload = Upload::begin(&store).await;
    let part = || {
        let part = store.s3.upload_part().bucket(BUCKET).key(KEY);
        part.upload_id(&upload.id).part_number(1)
    };
    for (part, what) in [
        (part().checksum_sha256(SHA256), "x-amz-checksum-sha256"),
        (
            part().content_md5("XUFAKrxLKna5cZ2REBfFkg=="),
            "Content-MD5",
        ),
    ] {
        let url = part.presigned(for_an_hour()).await.unwrap();
        let response = store.signed(&url).body("HELLO").send().await.unwrap();
        assert_eq!(
            refusal(response).await,
            (400, "BadDigest".to_owned()),
            "{what}"
        );
    }
    let url = part().presigned(for_an_hour()).await.unwrap();
    let chunks = futures::stream::iter([Ok::<_, std::io::Error>("hel"), Ok("lo")]);
    let body = reqwest::Body::wrap_stream(chunks);
    let response = store.signed(&url).body(body).send().await.unwrap();
    let expected = (411, "MissingContentLength".to_owned());
    assert_eq!(refusal(response).await, expected, "no Content-Length");

    let listed = store
        .s3
        .list_parts()
        .bucket(BUCKET)
        .key(KEY)
        .upload_id(&upload.id);
    assert_eq!(listed.send().await.unwrap().parts().len(), 0);
    store.assert_untouched().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn part_number_outside_one_to_ten_thousand_is_rejected() {
    let store = TestStore::start().await;
    let upload = Upload::begin(&store).await;
    for number in [-1, 0, 10_001, 70_000] {
        let error = upload.part(number, b"x".to_vec()).send().await.unwrap_err();
        assert_eq!(error.code(), Some("InvalidArgument"), "part {number}");
    }
    store.assert_untouched().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn upload_is_found_only_by_matching_bucket_key_and_id() {
    let store = TestStore::start().await;
    let real = Upload::begin(&store).await;
    for id in ["no id at all", "0193a000000070008000000000000000"] {
        let upload = Upload {
            store: &store,
            id: id.to_owned(),
        };
        let part = upload.part(1, b"x".to_vec()).send().await.unwrap_err();
        assert_eq!(part.code(), Some("NoSuchUpload"), "UploadPart {id:?}");
        let parts = vec![with_etag(1, NO_ETAG)];
        assert_eq!(
            upload.refused(parts).await,
            "NoSuchUpload",
            "Complete {id:?}"
        );
        let list = store.s3.list_parts().bucket(BUCKET).key(KEY).upload_id(id);
        let list = list.send().await.unwrap_err();
        assert_eq!(list.code(), Some("NoSuchUpload"), "ListParts {id:?}");
    }
    let other = real.part(1, b"x".to_vec()).key("another key").send().await;
    assert_eq!(
        other.unwrap_err().code(),
        Some("NoSuchUpload"),
        "another key"
    );
    let other = real
        .part(1, b"x".to_vec())
        .bucket("no-such-bucket")
        .send()
        .await;
    assert_eq!(other.unwrap_err().code(), Some("NoSuchBucket"));
    let create = store.s3.create_multipart_upload().bucket("no-such-bucket");
    let create = create.key(KEY).send().await.unwrap_err();
    assert_eq!(create.code(), Some("NoSuchBucket"));
    store.assert_untouched().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn completion_requires_matching_parts_in_order() {
    let store = TestStore::start().await;
    let upload = Upload::begin(&store).await;
    let first = upload.send(1, vec![1; FIVE_MIB]).await;
    let second = upload.send(2, b"two".to_vec()).await;
    let third = upload.send(3, b"three".to_vec()).await;

    let refused = async |parts: &[&CompletedPart]| {
        let parts = parts.iter().map(|part| (*part).clone()).collect();
        upload.refused(parts).await
    };
    assert_eq!(refused(&[&second, &first]).await, "InvalidPartOrder");
    assert_eq!(
        refused(&[&first, &first]).await,
        "InvalidPartOrder",
        "twice"
    );
    let wrong = with_etag(2, NO_ETAG);
    assert_eq!(
        refused(&[&first, &wrong]).await,
        "InvalidPart",
        "another ETag"
    );
    let absent = with_etag(4, second.e_tag().unwrap());
    assert_eq!(
        refused(&[&first, &absent]).await,
        "InvalidPart",
        "no such part"
    );
    assert_eq!(refused(&[&first, &second, &third]).await, "EntityTooSmall");
    assert_eq!(refused(&[]).await, "MalformedXML");
    assert_eq!(store.read(KEY).await, None);
    assert_eq!(store.body_files(), 3, "the parts, and nothing else");
    assert!(store.events.lock().unwrap().is_empty());

    upload.finish(vec![first, second]).await;
    let read = store.read(KEY).await.expect("the object");
    assert_eq!(read.len(), FIVE_MIB + 3, "the refusals cost nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn get_by_part_number_is_not_implemented() {
    let store = TestStore::start().await;
    let upload = Upload::begin(&store).await;
    let part = upload.send(1, b"bytes".to_vec()).await;
    upload.finish(vec![part]).await;
    let get = store.s3.get_object().bucket(BUCKET).key(KEY).part_number(1);
    assert_eq!(get.send().await.unwrap_err().code(), Some("NotImplemented"));
}
