//! `DELETE /datasets/{path}`: the status rule, and what does not belong to the upload.

use reqwest::StatusCode;
use serde_json::json;

use super::list;
use crate::support::app::App;

#[tokio::test]
async fn a_dataset_and_its_upload_go_together() {
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
    // The path is free again.
    app.upload("/data/a.csv", "y", json!({})).await;
}

#[tokio::test]
async fn a_promise_is_not_deleted_but_cancelled() {
    let app = App::start().await;
    app.create("/a.csv", json!({})).await;
    let problem = app.delete("/datasets/a.csv").await;
    let problem = problem.expect_problem(409, "invalid-status");
    assert_eq!(problem["upload_status"], "Pending", "{problem:#}");
}

#[tokio::test]
async fn the_standing_dataset_goes_not_the_newest_promise() {
    let app = App::start().await;
    let standing = app.upload("/a.csv", "x", json!({})).await;
    let promise = app.create("/a.csv", json!({"overwrite": true})).await;
    let reply = app.delete("/datasets/a.csv").await;
    assert_eq!(reply.status, StatusCode::NO_CONTENT, "{reply:#?}");
    assert_eq!(app.read(&standing).await["status"], "Deleted");
    assert_eq!(app.read(&promise).await["status"], "Pending");
}

#[tokio::test]
async fn what_has_no_upload_is_not_ours_to_delete() {
    let app = App::start().await;
    app.bucket.put("a.csv", "foreign").await;
    app.delete("/datasets/a.csv")
        .await
        .expect_problem(404, "dataset-not-found");
    assert_eq!(app.bucket.get("a.csv").await, b"foreign");
}

#[tokio::test]
async fn a_dataset_that_drifted_goes_only_by_force() {
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
