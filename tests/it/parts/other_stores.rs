//! Stores that answer otherwise than S3 does.

use reqwest::StatusCode;
use serde_json::json;

use super::scene::Scene;
use crate::support::app::Setup;
use crate::support::door::Way;

/// There is no such upload, as some stores say it.
const NO_SUCH_KEY: &str = "HTTP/1.1 404 Not Found\r\nconnection: close\r\ncontent-type: application/xml\r\n\r\n<Error><Code>NoSuchKey</Code><Message>why</Message></Error>";

#[tokio::test]
async fn an_ended_upload_is_found_where_the_store_says_no_such_key() {
    let (scene, door) = Scene::behind_a_door(Setup::new()).await;
    let session = scene.sent("a.bin", "abc", json!({})).await;
    // Completed, and the answer was lost.
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
    door.leads(Way::Interrupts(scene.store.addr(), words, NO_SUCH_KEY));
    let upload = scene.app.acknowledge(&session).await.expect(StatusCode::OK);
    assert_eq!(upload["status"], "Uploaded", "{upload:#}");
}
