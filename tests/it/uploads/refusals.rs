//! Creates that the settings or an existing dataset do not allow.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::app::{App, Setup};

async fn assert_rejected(app: &App, body: Value, status: u16, code: &str) -> Value {
    let reply = app.post("/uploads", body).await;
    reply.expect_problem(status, code)
}

async fn count_uploads(app: &App) -> i64 {
    let sql = app.sql().await;
    let row = sql.query_one("SELECT count(*) FROM uploads", &[]).await;
    row.expect("a count").get(0)
}

#[tokio::test]
async fn existing_dataset_is_replaced_only_with_overwrite() {
    let app = App::start().await;
    let first = app.upload("/a.csv", "one", json!({})).await;
    let problem = assert_rejected(&app, json!({"path": "a.csv"}), 409, "dataset-exists").await;
    assert_eq!(problem["upload_id"], first["id"], "{problem:#}");
    assert_eq!(count_uploads(&app).await, 1);
    let problem = json!({"path": "/a.csv", "overwrite": false});
    assert_rejected(&app, problem, 409, "dataset-exists").await;

    // With `overwrite` it is replaced.
    let second = app
        .upload("/a.csv", "two", json!({"overwrite": true}))
        .await;
    assert_eq!(app.bucket.get("a.csv").await, b"two");
    assert_eq!(app.read(&first).await["status"], "Superseded");
    let problem = assert_rejected(&app, json!({"path": "/a.csv"}), 409, "dataset-exists").await;
    assert_eq!(problem["upload_id"], second["id"], "{problem:#}");
}

#[tokio::test]
async fn several_pending_sessions_may_share_a_path() {
    let app = App::start().await;
    let one = app.create("/a.csv", json!({})).await;
    let other = app.create("/a.csv", json!({})).await;
    assert_ne!(one["id"], other["id"]);
    assert_ne!(one["upload"]["url"], other["upload"]["url"]);
}

#[tokio::test]
async fn if_match_replaces_only_the_named_version() {
    let app = App::start().await;
    let first = app.upload("/a.csv", "one", json!({})).await;
    let etag = first["object"]["etag"]
        .as_str()
        .expect("an etag")
        .to_owned();
    let lost = app.create("/a.csv", json!({"if_match": etag})).await;
    assert_eq!(lost["upload"]["headers"]["if-match"], etag, "{lost:#}");
    assert!(lost["upload"]["headers"].get("if-none-match").is_none());
    // The quotes may be missing.
    let bare = etag.trim_matches('"');
    app.upload("/a.csv", "two", json!({"if_match": bare})).await;
    let late = app.put(&lost, "three").await;
    assert_eq!(late.status, StatusCode::PRECONDITION_FAILED, "{late:#?}");
    assert_eq!(app.bucket.get("a.csv").await, b"two");
}

#[tokio::test]
async fn create_rejects_size_over_the_limit() {
    let app = Setup::new()
        .set("BROKER_MAX_SIZE_BYTES", 1000)
        .start()
        .await;
    let body = json!({"path": "/a.csv", "size": 1001});
    let problem = assert_rejected(&app, body, 422, "size-limit-exceeded").await;
    assert_eq!(problem["errors"][0]["pointer"], "/size", "{problem:#}");
    assert!(
        problem["detail"].as_str().expect("words").contains("1000"),
        "{problem:#}"
    );
    assert_eq!(count_uploads(&app).await, 0);
    app.create("/a.csv", json!({"size": 1000})).await;
}

#[tokio::test]
async fn single_put_is_limited_to_five_gibibytes() {
    let app = App::start().await;
    let most = 5_u64 * 1024 * 1024 * 1024;
    app.create("/a.bin", json!({"size": most, "multipart": false}))
        .await;
    let body = json!({"path": "/a.bin", "size": most + 1, "multipart": false});
    assert_rejected(&app, body, 422, "size-limit-exceeded").await;
}

#[tokio::test]
async fn create_rejects_content_types_that_are_not_allowed() {
    let setup = Setup::new().set("BROKER_ALLOWED_CONTENT_TYPES", "text/csv,image/*");
    let app = setup.start().await;
    for body in [
        json!({"path": "/a.html"}),
        json!({"path": "/a.csv", "content_type": "application/x-sh"}),
        json!({"path": "/a"}),
        json!({"path": "/a", "content_type": "text/csvx"}),
        json!({"path": "/a", "content_type": "imagex/png"}),
    ] {
        let problem = assert_rejected(&app, body.clone(), 422, "content-type-not-allowed").await;
        assert_eq!(problem["errors"][0]["pointer"], "/content_type", "{body}");
    }
    assert_eq!(count_uploads(&app).await, 0);
    for content_type in [
        "text/csv",
        "text/csv; charset=utf-8",
        "Text/CSV",
        "image/png",
    ] {
        app.create("/a", json!({"content_type": content_type}))
            .await;
    }
}
