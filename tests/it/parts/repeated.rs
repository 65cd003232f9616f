//! Creates that are repeated, rejected, or part of a batch: S3 has exactly one multipart upload for
//! each session, and none without a session.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::scene::{MIN, Scene, bytes};
use crate::support::app::Setup;
use crate::support::reply::Reply;

async fn post_with_key(scene: &Scene, path: &str, key: &str, body: &Value) -> Reply {
    let post = scene.app.request(Method::POST, path);
    Reply::of(post.header("idempotency-key", key).json(body)).await
}

fn large(path: &str) -> Value {
    json!({"path": path, "size": MIN + 1, "part_size": MIN})
}

#[tokio::test]
async fn create_repeated_with_key_continues_the_same_multipart_upload() {
    let scene = Scene::new().await;
    let body = large("a.bin");
    let first = post_with_key(&scene, "/uploads", "k", &body).await;
    let first = first.expect(StatusCode::CREATED);
    let open = scene.open().await;
    let whole = bytes(MIN + 1);
    scene.send_of(&Scene::parts(&first)[0], &whole).await;
    scene.app.advance(TimeDelta::seconds(30));
    let again = post_with_key(&scene, "/uploads", "k", &body).await;
    let again = again.expect(StatusCode::OK);
    assert_eq!(again["id"], first["id"]);
    let (old, new) = (&Scene::parts(&first)[1], &Scene::parts(&again)[1]);
    assert_ne!(old["url"], new["url"], "the URL is not fresh");
    assert!(new["expires_at"].as_str() > old["expires_at"].as_str());
    assert_eq!(scene.open().await, open, "S3 keeps another upload");
    // The part that was sent before still exists, and the fresh URL continues the same upload.
    assert_eq!(scene.listed(&again).await["missing"], json!([[2, 2]]));
    scene.send_of(new, &whole).await;
    scene.app.acknowledge(&again).await.expect(StatusCode::OK);
    assert!(scene.app.bucket.get("a.bin").await == whole, "other bytes");

    let other = json!({"path": "a.bin", "size": MIN + 1, "part_size": MIN + 1});
    let reply = post_with_key(&scene, "/uploads", "k", &other).await;
    reply.expect_problem(422, "idempotency-key-reused");
    assert_eq!(scene.open().await, [""; 0]);
}

/// The repetition works while S3 is not available.
#[tokio::test]
async fn repeated_create_does_not_call_s3() {
    let (scene, gate) = Scene::gated(Setup::new()).await;
    let body = large("a.bin");
    let first = post_with_key(&scene, "/uploads", "k", &body).await;
    let first = first.expect(StatusCode::CREATED);
    gate.close().await;
    let again = post_with_key(&scene, "/uploads", "k", &body).await;
    assert_eq!(again.expect(StatusCode::OK)["id"], first["id"]);
    let other = json!({"path": "b.bin", "size": MIN + 1, "part_size": MIN});
    let reply = post_with_key(&scene, "/uploads", "k", &other).await;
    reply.expect_problem(422, "idempotency-key-reused");
    let reply = post_with_key(&scene, "/uploads", "other", &body).await;
    reply.expect_problem(503, "service-unavailable");
}

#[tokio::test]
async fn repeated_batch_does_not_call_s3() {
    let (scene, gate) = Scene::gated(Setup::new()).await;
    let batch = json!({"uploads": [large("a.bin"), {"path": "b.csv"}, large("c.bin")]});
    let first = post_with_key(&scene, "/uploads/batch", "k", &batch).await;
    let first = first.expect(StatusCode::OK);
    gate.close().await;
    let again = post_with_key(&scene, "/uploads/batch", "k", &batch).await;
    let again = again.expect(StatusCode::OK);
    for at in 0..3 {
        let (first, again) = (&first["results"][at], &again["results"][at]);
        assert_eq!(again["status"], 200, "{again:#}");
        assert_eq!(again["upload"]["id"], first["upload"]["id"], "{again:#}");
    }
    let other = json!({"uploads": [large("other.bin")]});
    let reply = post_with_key(&scene, "/uploads/batch", "k", &other).await;
    reply.expect_problem(422, "idempotency-key-reused");
    let reply = post_with_key(&scene, "/uploads/batch", "other", &batch).await;
    reply.expect_problem(503, "service-unavailable");
}

#[tokio::test]
async fn twenty_concurrent_creates_with_one_key_start_one_multipart_upload() {
    let scene = Scene::new().await;
    let body = large("a.bin");
    let asks = (0..20).map(|_| post_with_key(&scene, "/uploads", "k", &body));
    let replies = futures::future::join_all(asks).await;
    let mut ids = BTreeSet::new();
    let mut made = 0;
    for reply in replies {
        made += usize::from(reply.status == StatusCode::CREATED);
        let session = reply.expect_ok().json();
        ids.insert(session["id"].to_string());
        // The URLs of every answer belong to the one upload that remains.
        let part = &Scene::parts(&session)[1];
        scene.send(part, "x").await.expect_ok();
    }
    assert_eq!((made, ids.len()), (1, 1));
    assert_eq!(scene.open().await.len(), 1);
}

#[tokio::test]
async fn rejected_create_leaves_no_multipart_upload_and_frees_its_key() {
    let scene = Scene::new().await;
    let standing = scene.app.upload("a.bin", "x", json!({})).await;
    for _ in 0..2 {
        let reply = scene.app.post("/uploads", large("a.bin")).await;
        let problem = reply.expect_problem(409, "dataset-exists");
        assert_eq!(problem["upload_id"], standing["id"], "{problem:#}");
        let reply = post_with_key(&scene, "/uploads", "k", &large("a.bin")).await;
        reply.expect_problem(409, "dataset-exists");
    }
    assert_eq!(scene.open().await, [""; 0], "S3 keeps an upload");
    // The idempotency key is free again.
    let reply = post_with_key(&scene, "/uploads", "k", &large("b.bin")).await;
    reply.expect(StatusCode::CREATED);
    assert_eq!(scene.open().await.len(), 1);
}

#[tokio::test]
async fn batch_may_mix_single_put_and_multipart_sessions() {
    let scene = Scene::new().await;
    scene.app.upload("taken.bin", "x", json!({})).await;
    let batch = json!({"uploads": [
        large("a.bin"),
        {"path": "small.csv", "size": 3},
        large("taken.bin"),
        {"path": "open.bin", "multipart": true},
        {"path": "bad.bin", "part_size": 1},
        {"path": "crc.bin", "size": 3, "part_checksums": "CRC32C"},
    ]});
    let statuses = [201, 201, 409, 201, 422, 201];
    let check = |answer: &Value, statuses: [u16; 6]| {
        let results = answer["results"].as_array().expect("results");
        let found: Vec<_> = results.iter().map(|result| &result["status"]).collect();
        assert_eq!(json!(found), json!(statuses), "{answer:#}");
        let upload = |at: usize| results[at]["upload"].clone();
        assert_eq!(upload(0)["multipart"]["part_count"], 2, "{answer:#}");
        assert_eq!(Scene::parts(&upload(0)).len(), 2, "{answer:#}");
        assert_eq!(upload(1)["multipart"], Value::Null, "{answer:#}");
        assert_eq!(
            upload(3)["multipart"]["part_count"],
            Value::Null,
            "{answer:#}"
        );
        assert_eq!(
            upload(5)["multipart"]["part_checksums"],
            "CRC32C",
            "{answer:#}"
        );
        results[4]["problem"]["errors"][0]["pointer"].clone()
    };
    let answer = post_with_key(&scene, "/uploads/batch", "k", &batch).await;
    let answer = answer.expect(StatusCode::OK);
    assert_eq!(check(&answer, statuses), "/uploads/4/part_size");
    let open = scene.open().await.len();
    assert_eq!(open, 3);
    let again = post_with_key(&scene, "/uploads/batch", "k", &batch).await;
    let again = again.expect(StatusCode::OK);
    check(&again, [200, 200, 409, 200, 422, 200]);
    assert_eq!(
        scene.open().await.len(),
        open,
        "S3 keeps what is no session"
    );
    for at in [0, 1, 3, 5] {
        let id = |answer: &Value| answer["results"][at]["upload"]["id"].clone();
        assert_eq!(id(&again), id(&answer));
    }
    let part = Scene::parts(&again["results"][0]["upload"])[1].clone();
    scene.send(&part, "x").await.expect_ok();

    let other = json!({"uploads": [large("other.bin")]});
    let reply = post_with_key(&scene, "/uploads/batch", "k", &other).await;
    reply.expect_problem(422, "idempotency-key-reused");
    let refused = json!({"uploads": [large("taken.bin"), large("taken.bin")]});
    let answer = scene.app.post("/uploads/batch", refused).await;
    let answer = answer.expect(StatusCode::OK);
    assert_eq!(answer["results"][1]["status"], 409, "{answer:#}");
    assert_eq!(scene.open().await.len(), open, "S3 keeps what was refused");
}

/// The answer is streamed while it is generated. This test checks that it is complete.
#[tokio::test]
async fn batch_of_hundred_long_multipart_sessions_is_answered_completely() {
    let scene = Scene::new().await;
    let entry =
        |at: usize| json!({"path": format!("{at}.bin"), "size": 150 * MIN, "part_size": MIN});
    let batch: Vec<_> = (0..100).map(entry).collect();
    let reply = scene
        .app
        .post("/uploads/batch", json!({"uploads": batch}))
        .await;
    let answer = reply.expect(StatusCode::OK);
    let results = answer["results"].as_array().expect("results");
    assert_eq!(results.len(), 100);
    for (at, result) in results.iter().enumerate() {
        let upload = &result["upload"];
        assert_eq!(upload["path"], format!("/{at}.bin"));
        assert_eq!(Scene::parts(upload).len(), 100);
        let next = format!(
            "/uploads/{}/parts?from=101",
            upload["id"].as_str().expect("an id")
        );
        assert_eq!(upload["multipart"]["next"], next);
    }
}
