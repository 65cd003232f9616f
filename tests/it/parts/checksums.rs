//! Checksums of parts, which S3 holds their bytes to, and of the whole.

use reqwest::StatusCode;
use serde_json::json;

use super::scene::{MIN, Scene, bytes, crc64, sha256};

#[tokio::test]
async fn parts_that_are_announced_with_checksums_are_held_to_them() {
    let scene = Scene::new().await;
    let whole = bytes(MIN + 3);
    let session = scene
        .begin(
            "crc.bin",
            whole.len(),
            json!({"part_checksums": "CRC64NVME"}),
        )
        .await;
    assert_eq!(session["multipart"]["parts"], json!([]), "{session:#}");
    let (first, last) = whole.split_at(MIN);
    let asked = json!({"parts": [
        {"part_number": 1, "checksum": crc64(first)},
        {"part_number": 2, "checksum": crc64(last)},
    ]});
    let parts = scene.asked(&session, asked).await;
    let mut torn = first.to_vec();
    torn[MIN / 2] ^= 1;
    let refused = scene.send(&parts[0], torn).await;
    assert!(refused.body.contains("BadDigest"), "{refused:#?}");
    scene.send(&parts[0], first).await.expect_ok();
    scene.send(&parts[1], last).await.expect_ok();
    let listed = scene.listed(&session).await;
    assert_eq!(
        listed["uploaded"][0]["checksum"],
        crc64(first),
        "{listed:#}"
    );
    let claims = json!({"checksum": crc64(&whole)});
    let upload = scene
        .acknowledge(&session, claims)
        .await
        .expect(StatusCode::OK);
    assert_eq!(upload["verification"]["level"], "checksum", "{upload:#}");
}

#[tokio::test]
async fn sha256_of_all_parts_proves_the_whole() {
    let scene = Scene::new().await;
    let whole = bytes(MIN + 3);
    // Not announced: the upload is begun anew with the algorithm.
    let session = scene.begin("sha.bin", whole.len(), json!({})).await;
    let (first, last) = whole.split_at(MIN);
    let asked = json!({"parts": [
        {"part_number": 1, "checksum": sha256(first)},
        {"part_number": 2, "checksum": sha256(last)},
    ]});
    let parts = scene.asked(&session, asked).await;
    scene.send(&parts[0], first).await.expect_ok();
    scene.send(&parts[1], last).await.expect_ok();
    let upload = scene.app.acknowledge(&session).await.expect(StatusCode::OK);
    assert_eq!(upload["verification"]["level"], "checksum", "{upload:#}");
    let value = upload["object"]["checksum"]["value"].as_str().unwrap();
    assert!(value.ends_with("-2"), "{upload:#}");
    assert_eq!(
        upload["checksum"], upload["object"]["checksum"],
        "{upload:#}"
    );
}
