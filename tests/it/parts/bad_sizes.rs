//! Sessions that are too large or cannot be cut into parts are rejected with the field that is
//! wrong, and change nothing.

use reqwest::StatusCode;
use serde_json::json;

use super::bad_input::first_error;
use super::scene::{MIN, Scene};
use crate::support::app::Setup;

#[tokio::test]
async fn sessions_with_impossible_sizes_are_rejected_without_calling_s3() {
    let scene = Scene::new().await;
    let gib5 = 5_u64 << 30;
    let large = "size-limit-exceeded";
    let wrong = "invalid-request";
    for (more, code, pointer) in [
        (
            json!({"part_size": MIN - 1, "size": 9}),
            wrong,
            "/part_size",
        ),
        (
            json!({"part_size": gib5 + 1, "size": 9}),
            wrong,
            "/part_size",
        ),
        (
            json!({"part_size": 0, "multipart": true}),
            wrong,
            "/part_size",
        ),
        (json!({"part_size": -1}), wrong, "/part_size"),
        (json!({"part_size": "5 MiB"}), wrong, "/part_size"),
        (
            json!({"part_size": MIN, "size": 10_000 * MIN + 1}),
            wrong,
            "/part_size",
        ),
        (
            json!({"part_size": MIN, "multipart": false, "size": 9}),
            wrong,
            "/multipart",
        ),
        (
            json!({"part_checksums": "CRC32", "multipart": false}),
            wrong,
            "/multipart",
        ),
        (
            json!({"part_checksums": "MD5", "size": 9}),
            wrong,
            "/part_checksums",
        ),
        (
            json!({"part_checksums": "crc32", "size": 9}),
            wrong,
            "/part_checksums",
        ),
        (json!({"multipart": "yes"}), wrong, "/multipart"),
        (json!({"multipart": true, "parts": 3}), wrong, "/parts"),
        (
            json!({"multipart": true, "size": 10_000 * gib5 + 1}),
            large,
            "/size",
        ),
        (
            json!({"multipart": false, "size": gib5 + 1}),
            large,
            "/size",
        ),
        (json!({"size": i64::MAX}), large, "/size"),
        (json!({"size": u64::MAX}), wrong, "/size"),
    ] {
        let mut body = more.clone();
        body["path"] = json!("a.bin");
        let reply = scene.app.post("/uploads", body).await;
        let problem = reply.expect_problem(422, code);
        assert_eq!(
            problem["errors"][0]["pointer"], pointer,
            "{more}: {problem:#}"
        );
    }
    let all = scene.app.get("/uploads").await.expect(StatusCode::OK);
    assert_eq!(all, json!([]));
    assert_eq!(scene.open().await, [""; 0], "S3 was asked all the same");
}

#[tokio::test]
async fn configured_size_limit_applies_to_each_part_and_to_their_sum() {
    let limit = MIN + 1024;
    let setup = Setup::new().set("BROKER_MAX_SIZE_BYTES", limit);
    let scene = Scene::with(setup).await;
    let body = json!({"path": "a.bin", "size": limit + 1, "multipart": true});
    let reply = scene.app.post("/uploads", body).await;
    reply.expect_problem(422, "size-limit-exceeded");
    let session = scene.app.create("a.bin", json!({"multipart": true})).await;
    let part = |size: usize| json!({"parts": [{"part_number": 1, "size": size}]});
    let (pointer, detail) = first_error(scene.ask(&session, part(limit + 1)).await);
    assert_eq!(pointer, "/parts/0/size", "{detail}");
    assert!(detail.contains(&limit.to_string()), "{detail}");
    let asked = json!({"parts": [
        {"part_number": 1, "size": MIN}, {"part_number": 2, "size": 2048},
    ]});
    let reply = scene.ask(&session, asked).await;
    reply.expect_problem(422, "size-limit-exceeded");
    let asked = json!({"parts": [
        {"part_number": 1, "size": MIN}, {"part_number": 2, "size": 1024},
    ]});
    let parts = scene.asked(&session, asked).await;
    scene.send(&parts[0], vec![1; MIN]).await.expect_ok();
    // The part's URL cannot do this because it is signed for another size.
    scene.slip_in("a.bin", 2, &"2".repeat(2048)).await;
    let sum = json!({"size": MIN + 2048});
    let reply = scene.acknowledge(&session, sum).await;
    reply.expect_problem(422, "size-limit-exceeded");
    assert_eq!(scene.app.read(&session).await["status"], "Error");
    assert!(scene.app.bucket.head("a.bin").await.is_none());
}
