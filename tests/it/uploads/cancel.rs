//! `POST /uploads/{id}/cancel`.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::app::{App, id};
use crate::support::reply::Reply;

async fn cancel(app: &App, session: &Value) -> Reply {
    app.post_empty(&format!("/uploads/{}/cancel", id(session)))
        .await
}

#[tokio::test]
async fn cancelled_upload_cannot_be_cancelled_again_or_acknowledged() {
    let app = App::start().await;
    let session = app.create("/a.csv", json!({})).await;
    let cancelled = cancel(&app, &session).await.expect(StatusCode::OK);
    assert_eq!(cancelled["status"], "Cancelled", "{cancelled:#}");
    assert_eq!(cancelled["upload"], Value::Null, "{cancelled:#}");
    assert_eq!(app.read(&session).await, cancelled);

    let problem = cancel(&app, &session)
        .await
        .expect_problem(409, "invalid-status");
    assert_eq!(problem["upload_status"], "Cancelled", "{problem:#}");
    assert_eq!(problem["upload_id"], session["id"], "{problem:#}");
    // The URL still works, but its object does not become a dataset.
    app.put(&session, "x").await.expect_ok();
    app.acknowledge(&session)
        .await
        .expect_problem(409, "invalid-status");
}

#[tokio::test]
async fn cancel_removes_the_object_of_the_upload() {
    let app = App::start().await;
    let session = app.create("/a.csv", json!({})).await;
    app.put(&session, "x").await.expect_ok();
    cancel(&app, &session).await.expect(StatusCode::OK);
    assert!(
        app.bucket.head("a.csv").await.is_none(),
        "it would block the path"
    );
    app.upload("/a.csv", "y", json!({})).await;
}

#[tokio::test]
async fn cancel_keeps_a_foreign_object() {
    let app = App::start().await;
    let session = app.create("/a.csv", json!({})).await;
    app.bucket.put("a.csv", "foreign").await;
    cancel(&app, &session).await.expect(StatusCode::OK);
    assert_eq!(app.bucket.get("a.csv").await, b"foreign");
}

#[tokio::test]
async fn only_pending_uploads_can_be_cancelled() {
    let app = App::start().await;
    let uploaded = app.upload("/a.csv", "x", json!({})).await;
    let problem = cancel(&app, &uploaded)
        .await
        .expect_problem(409, "invalid-status");
    assert_eq!(problem["upload_status"], "Uploaded", "{problem:#}");
    assert_eq!(app.read(&uploaded).await, uploaded, "nothing changed");
    assert_eq!(app.bucket.get("a.csv").await, b"x");

    let deleted = format!("/uploads/{}", id(&uploaded));
    assert_eq!(app.delete(&deleted).await.status, StatusCode::NO_CONTENT);
    let problem = cancel(&app, &uploaded)
        .await
        .expect_problem(409, "invalid-status");
    assert_eq!(problem["upload_status"], "Deleted", "{problem:#}");
}
