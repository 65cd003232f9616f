//! What `force` changes, and what it does not.

use reqwest::StatusCode;
use serde_json::json;

use super::{KEY, PATH, assert_deleted, by_id};
use crate::support::app::{App, id};

#[tokio::test]
async fn delete_of_drifted_object_needs_force() {
    let app = App::start().await;
    let upload = app.upload(PATH, "bytes", json!({})).await;
    app.bucket.put(KEY, "from another program").await;
    for path in [by_id(&upload), "/datasets/data/employees.csv".into()] {
        let problem = app.delete(&path).await;
        let problem = problem.expect_problem(409, "dataset-drifted");
        assert_eq!(problem["upload_id"], upload["id"], "{problem:#}");
        assert_eq!(problem["upload_status"], "Uploaded", "{problem:#}");
        app.delete(&format!("{path}?force=false"))
            .await
            .expect_problem(409, "dataset-drifted");
    }
    assert_eq!(app.read(&upload).await["status"], "Uploaded");
    assert_eq!(app.bucket.get(KEY).await, b"from another program");

    let odd = app.delete(&(by_id(&upload) + "?force=yes")).await;
    odd.expect_problem(422, "invalid-request");
    assert_deleted(&app, &(by_id(&upload) + "?force=true")).await;
    assert_eq!(app.read(&upload).await["status"], "Deleted");
    assert_eq!(
        app.bucket.get(KEY).await,
        b"from another program",
        "the upload ends, and that stays"
    );

    let upload = app.upload(PATH, "bytes", json!({"overwrite": true})).await;
    app.bucket.put(KEY, "from another program").await;
    assert_deleted(&app, &(by_id(&upload) + "?force=remove")).await;
    assert!(app.bucket.head(KEY).await.is_none(), "that goes too");
    assert_eq!(app.read(&upload).await["status"], "Deleted");
}

/// A list knows only the ETag: an object that it does not mark as drifted can be deleted without
/// force.
#[tokio::test]
async fn object_rewritten_with_same_bytes_is_deleted_without_force() {
    let app = App::start().await;
    for path in ["/datasets/data/employees.csv", ""] {
        let upload = app.upload(PATH, "bytes", json!({})).await;
        app.bucket.put(KEY, "bytes").await;
        let listed = app.get("/datasets?include=upload").await;
        let listed = listed.expect(StatusCode::OK);
        assert_eq!(listed[0].get("drifted"), None, "{listed:#}");
        let detail = app.get("/datasets/data/employees.csv").await;
        assert_eq!(detail.expect(StatusCode::OK).get("drifted"), None);
        let path = match path {
            "" => by_id(&upload),
            path => path.to_owned(),
        };
        assert_deleted(&app, &path).await;
        assert!(app.bucket.head(KEY).await.is_none());
    }
}

#[tokio::test]
async fn force_keeps_object_of_another_pending_upload() {
    let app = App::start().await;
    let old = app.upload(PATH, "old", json!({})).await;
    let new = app.create(PATH, json!({"overwrite": true})).await;
    app.put(&new, "new").await.expect_ok();
    for force in ["", "?force=true", "?force=remove"] {
        let by_path = format!("/datasets{PATH}{force}");
        let problem = app.delete(&by_path).await;
        let problem = problem.expect_problem(409, "dataset-drifted");
        let detail = problem["detail"].as_str().expect("a detail");
        assert!(detail.contains(id(&new)), "{problem:#}");
    }
    let problem = app.delete(&by_id(&old)).await;
    problem.expect_problem(409, "dataset-drifted");
    assert_deleted(&app, &(by_id(&old) + "?force=remove")).await;
    assert_eq!(
        app.bucket.get(KEY).await,
        b"new",
        "it only waits for its acknowledge"
    );
    app.acknowledge(&new).await.expect(StatusCode::OK);
    assert_eq!(app.read(&old).await["status"], "Deleted");
}

/// The metadata of an object is copied with it, so it does not identify the upload of the copy.
#[tokio::test]
async fn copied_object_of_another_upload_is_deleted_with_force() {
    let app = App::start().await;
    app.upload("elsewhere.csv", "other", json!({})).await;
    let upload = app.upload(PATH, "bytes", json!({})).await;
    app.bucket.copy("elsewhere.csv", KEY).await;
    let refused = app.delete(&by_id(&upload)).await;
    refused.expect_problem(409, "dataset-drifted");
    assert_deleted(&app, &(by_id(&upload) + "?force=remove")).await;
    assert!(app.bucket.head(KEY).await.is_none(), "it blocks the path");
    assert_eq!(app.bucket.get("elsewhere.csv").await, b"other");
}
