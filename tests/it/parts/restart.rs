//! Another replica replaces the multipart upload of a session between the read of its row and the
//! call to S3. The row is read once more before the broker answers that the parts are gone.

use reqwest::StatusCode;
use serde_json::json;

use super::scene::{Scene, crc64};
use crate::support::app::{Setup, id};
use crate::support::gate::Gate;

/// Replaces the multipart upload, as another replica does, while the request of this replica waits
/// before S3.
async fn restart_elsewhere(scene: &Scene, gate: &Gate) {
    gate.request_waits().await;
    let old = scene.open().await.remove(0);
    let new = scene.app.bucket.begin("a.bin").await;
    let sql = scene.app.sql().await;
    let swap = "UPDATE uploads SET s3_upload_id = $1, part_checksums = 'CRC64NVME'";
    sql.execute(swap, &[&new]).await.expect("a row");
    scene.app.bucket.abort("a.bin", &old).await;
    gate.restore();
}

#[tokio::test]
async fn part_request_uses_upload_that_another_replica_restarted() {
    let (scene, gate) = Scene::gated(Setup::new()).await;
    let session = scene.begin("a.bin", 3, json!({})).await;
    gate.block();
    let asked = json!({"parts": [{"part_number": 1, "checksum": crc64(b"abc")}]});
    let (answer, ()) = tokio::join!(scene.ask(&session, asked), restart_elsewhere(&scene, &gate));
    let answer = answer.expect(StatusCode::OK);
    let now = scene.open().await.remove(0);
    let url = answer["parts"][0]["url"].as_str().expect("a URL");
    assert!(url.contains(&format!("uploadId={now}")), "{answer:#}");
}

#[tokio::test]
async fn part_listing_uses_upload_that_another_replica_restarted() {
    let (scene, gate) = Scene::gated(Setup::new()).await;
    let session = scene.begin("a.bin", 3, json!({})).await;
    gate.block();
    let parts = format!("/uploads/{}/parts", id(&session));
    let (listed, ()) = tokio::join!(scene.app.get(&parts), restart_elsewhere(&scene, &gate));
    let listed = listed.expect(StatusCode::OK);
    assert_eq!(listed["missing"], json!([[1, 1]]), "{listed:#}");
}
