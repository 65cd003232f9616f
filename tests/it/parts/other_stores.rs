//! Stores whose answers differ from those of S3.

use reqwest::StatusCode;
use serde_json::json;

use super::scene::{MIN, Scene, bytes, sha256};
use crate::support::app::Setup;
use crate::support::faulty_proxy::Mode;

/// Some stores answer with this code when there is no such upload.
const NO_SUCH_KEY: &str = "HTTP/1.1 404 Not Found\r\nconnection: close\r\ncontent-type: application/xml\r\n\r\n<Error><Code>NoSuchKey</Code><Message>why</Message></Error>";

#[tokio::test]
async fn completed_upload_is_proven_where_store_answers_no_such_key() {
    let (scene, proxy) = Scene::behind_proxy(Setup::new()).await;
    let session = scene.sent("a.bin", "abc", json!({})).await;
    // The upload is completed and the answer is lost.
    let (bucket, id) = (&scene.app.bucket, scene.open().await.remove(0));
    let listed = bucket.client.list_parts().bucket(&bucket.name).key("a.bin");
    let listed = listed.upload_id(&id).send().await.expect("parts");
    let part = aws_sdk_s3::types::CompletedPart::builder()
        .part_number(1)
        .set_e_tag(listed.parts()[0].e_tag.clone());
    let parts = aws_sdk_s3::types::CompletedMultipartUpload::builder().parts(part.build());
    let complete = bucket.client.complete_multipart_upload().key("a.bin");
    let complete = complete.bucket(&bucket.name).upload_id(id);
    let complete = complete.multipart_upload(parts.build());
    complete.send().await.expect("an object");
    let words = "x-id=ListParts";
    proxy.set_mode(Mode::RespondToMatching(
        scene.store.addr(),
        words,
        NO_SUCH_KEY,
    ));
    let upload = scene.app.acknowledge(&session).await.expect(StatusCode::OK);
    assert_eq!(upload["status"], "Uploaded", "{upload:#}");
}

#[tokio::test]
async fn parts_are_completed_where_store_does_not_list_their_checksums() {
    let (scene, _forgetful) = Scene::forgetful(Setup::new()).await;
    let whole = bytes(MIN + 3);
    let more = json!({"part_checksums": "SHA256"});
    let session = scene.begin("a.bin", whole.len(), more).await;
    let (first, last) = whole.split_at(MIN);
    let asked = json!({"parts": [
        {"part_number": 1, "checksum": sha256(first)},
        {"part_number": 2, "checksum": sha256(last)},
    ]});
    let parts = scene.asked(&session, asked).await;
    scene.send(&parts[0], first).await.expect_ok();
    scene.send(&parts[1], last).await.expect_ok();
    let listed = scene.listed(&session).await;
    assert_eq!(listed["uploaded"][0]["checksum"], serde_json::Value::Null);
    let upload = scene.app.acknowledge(&session).await.expect(StatusCode::OK);
    assert_eq!(upload["verification"]["level"], "checksum", "{upload:#}");
    // The checksums that were kept for the parts are gone with the session.
    let count = "SELECT count(*) FROM signed_parts";
    let row = scene.app.sql().await.query_one(count, &[]).await;
    assert_eq!(row.expect("a count").get::<_, i64>(0), 0);
}
