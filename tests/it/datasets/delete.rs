//! `DELETE /datasets/{path}`: which states it accepts, and what does not belong to the upload.

use reqwest::StatusCode;
use serde_json::json;

use super::list;
use crate::support::app::App;

#[tokio::test]
async fn delete_removes_object_and_marks_upload_deleted() {
    let app = App::start().await;
    let uploaded = app.upload("/data/a.csv", "x", json!({})).await;
    let reply = app.delete("/datasets/data/a.csv").await;
    assert_eq!(reply.status, StatusCode::NO_CONTENT, "{reply:#?}");
    assert_eq!(reply.body, "");
    assert!(app.bucket.head("data/a.csv").await.is_none());
    assert_eq!(app.read(&uploaded).await["status"], "Deleted");
    assert_eq!(list(&app, "").await, json!([]));
    let problem = app.delete("/datasets/data/a.csv").await;
    let problem = problem.expect_problem(409, "invalid-status");
    assert_eq!(problem["upload_status"], "Deleted", "{problem:#}");
    // The path can be used again.
    app.upload("/data/a.csv", "y", json!({})).await;
}

#[tokio::test]
async fn delete_rejects_pending_upload() {
    let app = App::start().await;
    app.create("/a.csv", json!({})).await;
    let problem = app.delete("/datasets/a.csv").await;
    let problem = problem.expect_problem(409, "invalid-status");
    assert_eq!(problem["upload_status"], "Pending", "{problem:#}");
}

#[tokio::test]
async fn delete_removes_current_dataset_and_keeps_newer_pending_upload() {
    let app = App::start().await;
    let standing = app.upload("/a.csv", "x", json!({})).await;
    let promise = app.create("/a.csv", json!({"overwrite": true})).await;
    let reply = app.delete("/datasets/a.csv").await;
    assert_eq!(reply.status, StatusCode::NO_CONTENT, "{reply:#?}");
    assert_eq!(app.read(&standing).await["status"], "Deleted");
    assert_eq!(app.read(&promise).await["status"], "Pending");
}

#[tokio::test]
async fn delete_of_object_without_upload_is_not_found() {
    let app = App::start().await;
    app.bucket.put("a.csv", "foreign").await;
    app.delete("/datasets/a.csv")
        .await
        .expect_problem(404, "dataset-not-found");
    assert_eq!(app.bucket.get("a.csv").await, b"foreign");
}

#[tokio::test]
async fn delete_removes_drifted_object_only_with_force_remove() {
    let app = App::start().await;
    let uploaded = app.upload("/a.csv", "x", json!({})).await;
    app.bucket.put("a.csv", "foreign").await;
    for query in ["", "?force=false"] {
        let reply = app.delete(&format!("/datasets/a.csv{query}")).await;
        let problem = reply.expect_problem(409, "dataset-drifted");
        assert_eq!(problem["upload_id"], uploaded["id"], "{problem:#}");
        assert_eq!(app.bucket.get("a.csv").await, b"foreign");
    }
    let reply = app.delete("/datasets/a.csv?force=yes").await;
    reply.expect_problem(422, "invalid-request");
    let reply = app.delete("/datasets/a.csv?force=remove").await;
    assert_eq!(reply.status, StatusCode::NO_CONTENT, "{reply:#?}");
    assert_eq!(app.read(&uploaded).await["status"], "Deleted");
    assert!(app.bucket.head("a.csv").await.is_none());
}
