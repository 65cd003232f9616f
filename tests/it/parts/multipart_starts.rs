//! For which sessions a multipart upload is started at S3.

use reqwest::StatusCode;
use serde_json::{Value, json};

use super::scene::Scene;
use crate::support::app::{App, Setup};
use crate::support::reply::Reply;

/// How often S3 was asked for an operation.
async fn calls(app: &App, operation: &str) -> f64 {
    let all = app.get("/metrics").await.expect_ok().body;
    let (name, label) = (
        "upload_broker_s3_call_duration_seconds_count{",
        format!("operation=\"{operation}\""),
    );
    let lines = all
        .lines()
        .filter(|line| line.starts_with(name) && line.contains(&label));
    let counts = lines.filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok());
    counts.sum()
}

fn batch(count: usize) -> Value {
    let entries =
        (0..count).map(|n| json!({"path": format!("/{n}.bin"), "multipart": true, "size": 10}));
    json!({"uploads": entries.collect::<Vec<_>>()})
}

/// Sends a POST request with a token that allows `uploads` uploads.
async fn post_with_token(app: &App, uploads: u32, path: &str, body: &Value) -> Reply {
    let asked = json!({"scopes": ["uploads:write"], "max_uploads": uploads});
    let token = app.post("/tokens", asked).await.expect(StatusCode::CREATED);
    let token = token["token"].as_str().expect("a token").to_owned();
    let post = app.http.post(format!("{}{path}", app.url)).json(body);
    Reply::of(post.bearer_auth(token)).await
}

#[tokio::test]
async fn batch_starts_multipart_uploads_only_within_token_allowance() {
    let scene = Scene::new().await;
    let reply = post_with_token(&scene.app, 1, "/uploads/batch", &batch(100)).await;
    let results = reply.expect(StatusCode::OK);
    let results = results["results"].as_array().expect("results");
    assert_eq!(results[0]["status"], 201, "{results:#?}");
    for refused in &results[1..] {
        assert_eq!(refused["problem"]["code"], "token-spent", "{refused:#}");
    }
    assert_eq!(calls(&scene.app, "CreateMultipartUpload").await, 1.0);
    assert_eq!(calls(&scene.app, "AbortMultipartUpload").await, 0.0);
    assert_eq!(scene.open().await.len(), 1);
}

#[tokio::test]
async fn rejected_session_starts_no_multipart_upload() {
    let scene = Scene::new().await;
    scene.app.upload("/taken.bin", "bytes", json!({})).await;
    let taken = json!({"path": "/taken.bin", "multipart": true, "size": 10});
    let reply = scene.app.post("/uploads", taken.clone()).await;
    reply.expect_problem(409, "dataset-exists");
    let path = format!("{}/uploads", scene.app.url);
    let once = scene.app.http.post(path).bearer_auth(&scene.app.key);
    let once = once.header("idempotency-key", "one").json(&taken);
    Reply::of(once).await.expect_problem(409, "dataset-exists");
    assert_eq!(calls(&scene.app, "CreateMultipartUpload").await, 0.0);
}

#[tokio::test]
async fn batch_stops_starting_uploads_when_s3_calls_time_out() {
    let setup = Setup::new()
        .set("BROKER_AWS_CONNECT_TIMEOUT_SECONDS", 1)
        .set("BROKER_AWS_ATTEMPT_TIMEOUT_SECONDS", 1)
        .set("BROKER_AWS_TIMEOUT_SECONDS", 1);
    let (scene, gate) = Scene::gated(setup).await;
    gate.block();
    let reply = scene.app.post("/uploads/batch", batch(200)).await;
    reply.expect_problem(503, "service-unavailable");
    let asked = calls(&scene.app, "CreateMultipartUpload").await;
    assert!((1.0..=16.0).contains(&asked), "{asked} calls");
    gate.restore();
    let rows = scene.app.get("/uploads").await.expect(StatusCode::OK);
    assert_eq!(rows, json!([]));
}

/// No connection is free to write the row, so the row certainly does not exist.
#[tokio::test]
async fn multipart_upload_is_aborted_when_its_row_cannot_be_written() {
    let setup = Setup::new()
        .set("BROKER_DB_POOL_SIZE", 3)
        .set("BROKER_DB_POOL_WAIT_SECONDS", 0.5);
    let (scene, gate) = Scene::gated(setup).await;
    // The key is cached from here on, so that no query is needed to check it.
    scene.app.get("/uploads").await.expect(StatusCode::OK);
    gate.block_responses();
    let create = scene.app.post(
        "/uploads",
        json!({"path": "/a.bin", "multipart": true, "size": 10}),
    );
    let exhaust = async {
        gate.response_waits().await;
        let pool = &scene.app.broker.connections.pool;
        let mut held = Vec::new();
        while let Ok(connection) = pool.get().await {
            held.push(connection);
        }
        gate.restore();
        held
    };
    let (reply, held) = tokio::join!(create, exhaust);
    reply.expect_problem(503, "overloaded");
    drop(held);
    assert_eq!(scene.open().await, [""; 0], "parts are left");
    let rows = scene.app.get("/uploads").await.expect(StatusCode::OK);
    assert_eq!(rows, json!([]));
}
