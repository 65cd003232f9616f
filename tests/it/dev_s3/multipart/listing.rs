//! Lists of uploads and of their parts, page by page.

use aws_sdk_s3::types::MultipartUpload;

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn parts_are_listed_in_order_over_pages() {
    let store = TestStore::start().await;
    let upload = Upload::begin(&store).await;
    let mut sent = Vec::new();
    for number in [5, 2, 10_000, 1, 300] {
        let bytes = vec![b'x'; usize::try_from(number).unwrap()];
        sent.push(upload.send(number, bytes).await);
    }
    sent.sort_by_key(CompletedPart::part_number);
    let list = || {
        store
            .s3
            .list_parts()
            .bucket(BUCKET)
            .key(KEY)
            .upload_id(&upload.id)
    };
    let (mut seen, mut marker, mut pages) = (Vec::new(), None, 0);
    loop {
        let page = list().max_parts(2).set_part_number_marker(marker.take());
        let page = page.send().await.unwrap();
        assert_eq!(
            (page.max_parts(), page.upload_id()),
            (Some(2), Some(upload.id.as_str()))
        );
        seen.extend(page.parts().to_vec());
        pages += 1;
        if page.is_truncated() != Some(true) {
            break;
        }
        assert_eq!(page.parts().len(), 2);
        marker = page.next_part_number_marker().map(str::to_owned);
        assert!(
            marker.is_some(),
            "a page that is not the last names the next"
        );
    }
    assert_eq!(pages, 3);
    let shown: Vec<_> = seen
        .iter()
        .map(|part| (part.part_number(), part.e_tag()))
        .collect();
    let expected: Vec<_> = sent
        .iter()
        .map(|part| (part.part_number(), part.e_tag()))
        .collect();
    assert_eq!(shown, expected);
    for (listed, sent) in seen.iter().zip(&sent) {
        assert_eq!(listed.size(), sent.part_number().map(i64::from));
        assert!(listed.last_modified().is_some());
        assert!(
            listed.checksum_crc32().is_some(),
            "the SDK's own: {listed:?}"
        );
        assert_eq!(listed.checksum_crc32(), sent.checksum_crc32());
    }
    let all = list().send().await.unwrap();
    assert_eq!((all.parts().len(), all.is_truncated()), (5, Some(false)));
    let after = list().part_number_marker("10000").send().await.unwrap();
    assert_eq!(after.parts().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn uploads_are_listed_by_key_and_age_over_pages() {
    let store = TestStore::start().await;
    let mut made = Vec::new();
    for key in ["b/2", "a", "b/1", "b/1", "b/1", "c"] {
        let create = store.s3.create_multipart_upload().bucket(BUCKET).key(key);
        let id = create.send().await.unwrap().upload_id().unwrap().to_owned();
        made.push((key.to_owned(), id));
    }
    // The sort is stable: uploads of one key stay in the order of their creation.
    made.sort_by(|one, other| one.0.cmp(&other.0));
    assert_eq!(pages(&store, "", 2).await, made);
    assert_eq!(pages(&store, "", 1000).await, made);
    let of_b: Vec<_> = made
        .iter()
        .filter(|(key, _)| key.starts_with("b/"))
        .cloned()
        .collect();
    assert_eq!(pages(&store, "b/", 1).await, of_b);

    let list = || store.s3.list_multipart_uploads().bucket(BUCKET);
    let after_key = list().key_marker("b/1").send().await.unwrap();
    let keys: Vec<_> = after_key
        .uploads()
        .iter()
        .map(MultipartUpload::key)
        .collect();
    assert_eq!(
        keys,
        [Some("b/2"), Some("c")],
        "all uploads of the marker's key are behind"
    );
    let folded = list().delimiter("/").send().await.unwrap_err();
    assert_eq!(folded.code(), Some("NotImplemented"));
    let elsewhere = store.s3.list_multipart_uploads().bucket("no-such-bucket");
    let elsewhere = elsewhere.send().await.unwrap_err();
    assert_eq!(elsewhere.code(), Some("NoSuchBucket"));
}

/// The key and id of every upload with the prefix.
async fn pages(store: &TestStore, prefix: &str, size: i32) -> Vec<(String, String)> {
    let (mut seen, mut key, mut id) = (Vec::new(), None, None);
    loop {
        let list = store
            .s3
            .list_multipart_uploads()
            .bucket(BUCKET)
            .prefix(prefix);
        let list = list.set_key_marker(key).set_upload_id_marker(id);
        let page = list.max_uploads(size).send().await.unwrap();
        for upload in page.uploads() {
            assert!(upload.initiated().is_some());
            let (key, id) = (upload.key().unwrap(), upload.upload_id().unwrap());
            seen.push((key.to_owned(), id.to_owned()));
        }
        if page.is_truncated() != Some(true) {
            return seen;
        }
        key = page.next_key_marker().map(str::to_owned);
        id = page.next_upload_id_marker().map(str::to_owned);
        assert!(key.is_some() && id.is_some(), "{page:?}");
    }
}
