//! Which states of an upload can be acknowledged.

use chrono::TimeDelta;
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::app::{App, id};

async fn assert_refused(app: &App, session: &Value, status: &str) {
    let problem = app.acknowledge(session).await;
    let problem = problem.expect_problem(409, "invalid-status");
    assert_eq!(problem["upload_id"], session["id"], "{problem:#}");
    assert_eq!(problem["upload_status"], status, "{problem:#}");
    assert!(problem["detail"].as_str().unwrap().contains(status));
    assert_eq!(app.read(session).await["status"], status);
}

#[tokio::test]
async fn acknowledge_rejects_cancelled_and_deleted_uploads() {
    let app = App::start().await;
    let cancelled = app.create("a", json!({})).await;
    let path = format!("/uploads/{}/cancel", id(&cancelled));
    let answer = app.post_empty(&path).await.expect(StatusCode::OK);
    assert_eq!(answer["status"], "Cancelled", "{answer:#}");
    assert_refused(&app, &cancelled, "Cancelled").await;
    app.put(&cancelled, "too late").await.expect_ok();
    assert_refused(&app, &cancelled, "Cancelled").await;
    assert_eq!(app.event_types(&cancelled).await, ["upload.cancelled"]);
    app.post_empty(&path)
        .await
        .expect_problem(409, "invalid-status");

    let deleted = app.upload("b", "b", json!({})).await;
    let reply = app.delete(&format!("/uploads/{}", id(&deleted))).await;
    assert_eq!(reply.status, StatusCode::NO_CONTENT, "{reply:#?}");
    assert_refused(&app, &deleted, "Deleted").await;
    let types = app.event_types(&deleted).await;
    assert_eq!(
        types,
        ["dataset.uploaded", "dataset.deleting", "dataset.deleted"]
    );
}

#[tokio::test]
async fn cancel_deletes_own_object_and_keeps_foreign_object() {
    let app = App::start().await;
    let session = app.create("a", json!({})).await;
    app.put(&session, "came already").await.expect_ok();
    let path = format!("/uploads/{}/cancel", id(&session));
    app.post_empty(&path).await.expect(StatusCode::OK);
    assert!(app.bucket.head("a").await.is_none(), "it blocks the path");

    let other = app.create("a", json!({})).await;
    app.bucket.put("a", "somebody else's").await;
    let path = format!("/uploads/{}/cancel", id(&other));
    app.post_empty(&path).await.expect(StatusCode::OK);
    assert_eq!(app.bucket.get("a").await, b"somebody else's");
}

#[tokio::test]
async fn acknowledge_accepts_object_that_arrived_after_expiry() {
    let app = App::start().await;
    let session = app.create("a", json!({"expires_in": 60})).await;
    app.advance(TimeDelta::seconds(60 + 901));
    assert_eq!(app.janitor().await.expired, 1);
    assert_eq!(app.read(&session).await["status"], "Expired");
    let problem = app.acknowledge(&session).await;
    let problem = problem.expect_problem(409, "object-missing");
    assert_eq!(problem["upload_status"], "Expired", "{problem:#}");

    // The store checks the URL against the real clock, by which it is still valid.
    app.put(&session, "after all").await.expect_ok();
    let uploaded = app.acknowledge(&session).await.expect(StatusCode::OK);
    assert_eq!(uploaded["status"], "Uploaded", "{uploaded:#}");
    assert_eq!(
        uploaded["verification"]["by"], "acknowledge",
        "{uploaded:#}"
    );
    let types = app.event_types(&session).await;
    assert_eq!(types, ["upload.expired", "dataset.uploaded"]);
}

#[tokio::test]
async fn acknowledge_of_superseded_upload_returns_its_proof_unchanged() {
    let app = App::start().await;
    let old = app.upload("a", "old", json!({})).await;
    app.upload("a", "new", json!({"overwrite": true})).await;
    let again = app.acknowledge(&old).await.expect(StatusCode::OK);
    assert_eq!(again["status"], "Superseded", "{again:#}");
    assert_eq!(again["verification"], old["verification"], "{again:#}");
    assert_eq!(
        app.event_types(&old).await,
        ["dataset.uploaded", "dataset.superseded"]
    );
}

#[tokio::test]
async fn acknowledge_of_unknown_id_is_not_found() {
    let app = App::start().await;
    let unknown = json!({"id": uuid::Uuid::now_v7()});
    let problem = app.acknowledge(&unknown).await;
    problem.expect_problem(404, "upload-not-found");
}
