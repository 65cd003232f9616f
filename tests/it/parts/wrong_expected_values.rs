//! Acknowledge requests whose expected values are wrong.

use reqwest::StatusCode;
use serde_json::json;

use super::scene::{MIN, Scene, crc64, sha256};

#[tokio::test]
async fn invalid_or_contradictory_acknowledge_is_rejected_and_changes_nothing() {
    let scene = Scene::new().await;
    let declared = json!({"checksum": crc64(b"abc")});
    let session = scene.sent("a.bin", "abc", declared).await;
    let open = scene.open().await;
    let before = scene.app.read(&session).await;
    for (body, pointer) in [
        (json!({"size": 4}), "/size"),
        (json!({"size": -1}), "/size"),
        (json!({"size": "3"}), "/size"),
        (json!({"checksum": crc64(b"other")}), "/checksum"),
        (json!({"checksum": sha256(b"abc")}), "/checksum"),
        (
            json!({"checksum": {"algorithm": "MD5", "value": "AAAA"}}),
            "/checksum/algorithm",
        ),
        (
            json!({"checksum": {"algorithm": "CRC32", "value": "AAAA"}}),
            "/checksum/value",
        ),
        (
            json!({"checksum": {"algorithm": "CRC32", "value": "AAAAAA==-x"}}),
            "/checksum/value",
        ),
        (json!({"etag": ""}), "/etag"),
        (json!({"name": ""}), "/name"),
        (json!({"parts": []}), "/parts"),
        (json!({"part_count": 1}), "/part_count"),
    ] {
        let text = body.to_string();
        let reply = scene.acknowledge(&session, body).await;
        let problem = reply.expect_problem(422, "invalid-request");
        assert_eq!(
            problem["errors"][0]["pointer"], pointer,
            "{text}: {problem:#}"
        );
    }
    assert_eq!(scene.app.read(&session).await, before);
    assert_eq!(scene.open().await, open);
    assert!(scene.app.bucket.head("a.bin").await.is_none());
    let upload = scene.app.acknowledge(&session).await.expect(StatusCode::OK);
    assert_eq!(upload["verification"]["level"], "checksum", "{upload:#}");
}

#[tokio::test]
async fn acknowledge_without_declared_size_checks_the_sum_of_the_parts() {
    let scene = Scene::new().await;
    let session = scene.app.create("a.bin", json!({"multipart": true})).await;
    let problem = scene.acknowledge(&session, json!({"size": 3})).await;
    let problem = problem.expect_problem(409, "parts-missing");
    assert_eq!(problem["missing"], json!([[1, 1]]), "{problem:#}");
    let asked = json!({"parts": [
        {"part_number": 1, "size": 3},
        {"part_number": 2, "size": 4},
        {"part_number": 4, "size": 1},
    ]});
    let parts = scene.asked(&session, asked).await;
    scene.send(&parts[1], "4444").await.expect_ok();
    scene.send(&parts[2], "1").await.expect_ok();
    let problem = scene.acknowledge(&session, json!({"size": 8})).await;
    let problem = problem.expect_problem(409, "parts-missing");
    assert_eq!(problem["missing"], json!([[1, 1], [3, 3]]), "{problem:#}");
    assert_eq!(
        scene.listed(&session).await["missing"],
        json!([[1, 1], [3, 3]])
    );

    // Only the last part may be smaller than the minimum.
    let session = scene.app.create("b.bin", json!({"multipart": true})).await;
    let asked = json!({"parts": [
        {"part_number": 1, "size": 3}, {"part_number": 2, "size": 3},
    ]});
    let parts = scene.asked(&session, asked).await;
    for part in &parts {
        scene.send(part, "abc").await.expect_ok();
    }
    let reply = scene.acknowledge(&session, json!({"size": 6})).await;
    let problem = reply.expect_problem(422, "object-mismatch");
    let expected = problem["mismatches"][0]["expected"]
        .as_str()
        .expect("words");
    assert!(expected.contains(&MIN.to_string()), "{problem:#}");
    assert_eq!(problem["upload_status"], "Pending", "{problem:#}");
    for size in [5, 7, 0, u64::MAX >> 1] {
        let reply = scene.acknowledge(&session, json!({"size": size})).await;
        reply.expect_problem(422, "object-mismatch");
    }
    assert_eq!(scene.app.event_types(&session).await, [""; 0]);
}

/// An expected checksum or ETag of the whole object does not match.
#[tokio::test]
async fn wrong_checksum_or_etag_of_whole_fails_the_upload() {
    let scene = Scene::new().await;
    let etag = json!({"etag": "\"0123456789abcdef0123456789abcdef-1\""});
    for (path, field, claims) in [
        ("a.bin", "checksum", json!({"checksum": crc64(b"other")})),
        ("b.bin", "etag", etag),
    ] {
        let session = scene.sent(path, "abc", json!({})).await;
        let reply = scene.acknowledge(&session, claims).await;
        let problem = reply.expect_problem(422, "object-mismatch");
        assert_eq!(problem["mismatches"][0]["field"], field, "{problem:#}");
        let upload = scene.app.read(&session).await;
        assert_eq!(upload["status"], "Error", "{upload:#}");
        assert_eq!(upload["error"]["code"], "object-mismatch", "{upload:#}");
        assert_eq!(scene.app.event_types(&session).await, ["upload.failed"]);
        let upload = format!("/uploads/{}", crate::support::app::id(&session));
        scene.app.delete(&upload).await.expect_ok();
        assert!(scene.app.bucket.head(path).await.is_none(), "{path}");
    }
}
