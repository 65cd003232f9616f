//! From the first part to the object, with replaced parts, aborts and plain HTTP.

use super::super::{for_an_hour, refusal};
use super::*;
use upload_broker::dev::s3::EventName;

#[tokio::test(flavor = "multi_thread")]
async fn parts_sent_out_of_order_become_one_object_in_order() {
    let store = TestStore::start().await;
    let create = store.s3.create_multipart_upload().bucket(BUCKET).key(KEY);
    let create = create.content_type("text/csv").metadata("origin", "tests");
    let made = create.cache_control("no-store").send().await.unwrap();
    let id = made.upload_id().expect("an id").to_owned();
    let upload = Upload { store: &store, id };
    // Out of order, and with gaps between the numbers.
    let last = upload.send(10_000, b"the end".to_vec()).await;
    let second = upload.send(7, vec![2; FIVE_MIB]).await;
    let first = upload.send(1, vec![1; FIVE_MIB]).await;
    assert_eq!(store.read(KEY).await, None, "not before the completion");

    let done = upload.finish(vec![first, second, last]).await;
    let etag = done.e_tag().expect("an ETag");
    assert!(etag.ends_with("-3\"") && etag.len() == 36, "{etag}");
    assert!(
        done.location()
            .is_some_and(|url| url.ends_with("/datasets/big%20file"))
    );
    let bytes = [vec![1; FIVE_MIB], vec![2; FIVE_MIB], b"the end".to_vec()].concat();
    assert!(
        store.read(KEY).await.as_ref() == Some(&bytes),
        "other bytes"
    );
    let head = store
        .s3
        .head_object()
        .bucket(BUCKET)
        .key(KEY)
        .send()
        .await
        .unwrap();
    assert_eq!(head.e_tag(), Some(etag));
    assert_eq!(head.content_length(), i64::try_from(bytes.len()).ok());
    assert_eq!(head.content_type(), Some("text/csv"));
    assert_eq!(head.cache_control(), Some("no-store"));
    assert_eq!(head.metadata().unwrap()["origin"], "tests");
    assert_eq!(store.body_files(), 1, "the parts' files are gone");
    let events = store.events.lock().unwrap().clone();
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].name, EventName::CreatedMultipart);
    assert_eq!(
        events[0].name.as_str(),
        "ObjectCreated:CompleteMultipartUpload"
    );
    assert_eq!(events[0].size, u64::try_from(bytes.len()).ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn etag_is_md5_of_part_md5s() {
    let store = TestStore::start().await;
    let upload = Upload::begin(&store).await;
    let part = upload.send(1, b"hello".to_vec()).await;
    assert_eq!(part.e_tag(), Some("\"5d41402abc4b2a76b9719d911017c592\""));
    let done = upload.finish(vec![part]).await;
    // echo -n hello | md5sum | cut -c-32 | xxd -r -p | md5sum
    assert_eq!(done.e_tag(), Some("\"62109206880d38a4010a98e11243924a-1\""));
}

#[tokio::test(flavor = "multi_thread")]
async fn part_can_be_replaced_before_completion() {
    let store = TestStore::start().await;
    let upload = Upload::begin(&store).await;
    let old = upload.send(1, b"old".to_vec()).await;
    let new = upload.send(1, b"new".to_vec()).await;
    assert_eq!(store.body_files(), 1, "the replaced part's file is gone");
    assert_eq!(upload.refused(vec![old]).await, "InvalidPart");
    upload.finish(vec![new.clone()]).await;
    assert_eq!(store.read(KEY).await.as_deref(), Some(&b"new"[..]));
    assert_eq!(
        upload.refused(vec![new]).await,
        "NoSuchUpload",
        "a second time"
    );
    assert_eq!(store.read(KEY).await.as_deref(), Some(&b"new"[..]));
}

#[tokio::test(flavor = "multi_thread")]
async fn completion_drops_parts_that_it_does_not_name() {
    let store = TestStore::start().await;
    store.put(KEY, b"replaced").await;
    let upload = Upload::begin(&store).await;
    let named = upload.send(2, b"named".to_vec()).await;
    upload.send(3, b"not named".to_vec()).await;
    upload.finish(vec![named]).await;
    assert_eq!(store.read(KEY).await.as_deref(), Some(&b"named"[..]));
    assert_eq!(store.body_files(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn copy_of_multipart_object_has_plain_etag() {
    let store = TestStore::start().await;
    let upload = Upload::begin(&store).await;
    let part = upload.send(1, b"hello".to_vec()).await;
    upload.finish(vec![part]).await;
    let copy = store.s3.copy_object().bucket(BUCKET).key("copy");
    let copied = copy
        .copy_source("datasets/big%20file")
        .send()
        .await
        .unwrap();
    let etag = copied.copy_object_result().and_then(|copy| copy.e_tag());
    assert_eq!(etag, Some("\"5d41402abc4b2a76b9719d911017c592\""));
}

#[tokio::test(flavor = "multi_thread")]
async fn abort_removes_upload_and_parts() {
    let store = TestStore::start().await;
    let upload = Upload::begin(&store).await;
    let part = upload.send(1, b"bytes".to_vec()).await;
    let abort = || store.s3.abort_multipart_upload().bucket(BUCKET).key(KEY);
    abort().upload_id(&upload.id).send().await.unwrap();
    store.assert_untouched().await;
    assert_eq!(upload.refused(vec![part]).await, "NoSuchUpload");
    let late = upload.part(2, b"late".to_vec()).send().await.unwrap_err();
    assert_eq!(late.code(), Some("NoSuchUpload"));
    let again = abort().upload_id(&upload.id).send().await.unwrap_err();
    assert_eq!(again.code(), Some("NoSuchUpload"));
    store.assert_untouched().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn presigned_part_url_works_with_plain_http_and_signs_number_and_length() {
    let store = TestStore::start().await;
    let upload = Upload::begin(&store).await;
    let part = store
        .s3
        .upload_part()
        .bucket(BUCKET)
        .key(KEY)
        .upload_id(&upload.id);
    let part = part.part_number(1).content_length(5);
    let url = part.presigned(for_an_hour()).await.unwrap();
    let other = url.uri().replace("partNumber=1", "partNumber=2");
    assert_ne!(other, url.uri());
    let forged = store.http.put(other).body("hello").send().await.unwrap();
    let expected = (403, "SignatureDoesNotMatch".to_owned());
    assert_eq!(refusal(forged).await, expected, "the number is signed");
    let longer = store
        .http
        .put(url.uri())
        .body("hello!")
        .send()
        .await
        .unwrap();
    assert_eq!(refusal(longer).await, expected, "the length is signed");
    store.assert_untouched().await;

    let response = store.signed(&url).body("hello").send().await.unwrap();
    assert_eq!(response.status(), 200);
    let etag = response.headers()["etag"].to_str().unwrap().to_owned();
    upload.finish(vec![with_etag(1, &etag)]).await;
    assert_eq!(store.read(KEY).await.as_deref(), Some(&b"hello"[..]));
}
