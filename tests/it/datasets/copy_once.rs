//! Copies and moves with an `Idempotency-Key`.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::app::App;
use crate::support::reply::Reply;

async fn copy(app: &App, key: &str, body: Value) -> Reply {
    let request = app.request(Method::POST, "/datasets/a/action/copy");
    Reply::of(request.header("idempotency-key", key).json(&body)).await
}

#[tokio::test]
async fn retried_copy_returns_first_copy_and_rejects_other_body() {
    let app = App::start().await;
    app.upload("/a", "bytes", json!({})).await;
    let body = json!({"to": "/b"});
    let first = copy(&app, "k", body.clone()).await;
    let first = first.expect(StatusCode::CREATED);
    let again = copy(&app, "k", body.clone()).await;
    assert_eq!(again.expect(StatusCode::OK), first);
    for other in [json!({"to": "/c"}), json!({"to": "/b", "move": true})] {
        let problem = copy(&app, "k", other).await;
        let problem = problem.expect_problem(422, "idempotency-key-reused");
        assert_eq!(problem["upload_id"], first["id"], "{problem:#}");
    }
    assert_eq!(app.event_types(&first).await, ["dataset.uploaded"]);
    // A refused copy does not reserve the key.
    let refused = copy(&app, "other", body).await;
    refused.expect_problem(409, "dataset-exists");
    let made = copy(&app, "other", json!({"to": "/c"})).await;
    made.expect(StatusCode::CREATED);
}

#[tokio::test]
async fn retried_move_does_not_touch_newer_dataset_at_source() {
    let app = App::start().await;
    app.upload("/a", "old", json!({})).await;
    let body = json!({"to": "/b", "move": true});
    let first = copy(&app, "k", body.clone()).await;
    let first = first.expect(StatusCode::CREATED);
    let again = copy(&app, "k", body.clone()).await;
    assert_eq!(again.expect(StatusCode::OK)["id"], first["id"]);
    app.advance(chrono::TimeDelta::seconds(1));
    let newer = app.upload("/a", "new", json!({})).await;
    let again = copy(&app, "k", body).await;
    assert_eq!(again.expect(StatusCode::OK)["id"], first["id"]);
    assert_eq!(app.read(&newer).await["status"], "Uploaded");
    assert_eq!(app.bucket.get("a").await, b"new");
    assert_eq!(app.bucket.get("b").await, b"old");
}

#[tokio::test]
async fn concurrent_copies_with_one_key_make_one_copy() {
    let app = App::start().await;
    app.upload("/a", "bytes", json!({})).await;
    let body = json!({"to": "/b"});
    let (one, other) = tokio::join!(copy(&app, "k", body.clone()), copy(&app, "k", body));
    let (one, other) = (one.expect_ok().json(), other.expect_ok().json());
    assert_eq!(one["id"], other["id"], "{one:#}\n{other:#}");
    let uploads = app.get("/uploads?path=/b").await.expect(StatusCode::OK);
    assert_eq!(uploads.as_array().map(Vec::len), Some(1), "{uploads:#}");
    assert_eq!(app.event_types(&one).await, ["dataset.uploaded"]);
}
