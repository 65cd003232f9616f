//! Delete: which states it accepts, what it removes and what it keeps, by id and by path.

mod force;
mod unfinished;

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::app::{App, id};

const PATH: &str = "/data/employees.csv";
const KEY: &str = "data/employees.csv";

async fn assert_deleted(app: &App, path: &str) {
    let reply = app.delete(path).await;
    assert_eq!(reply.status, StatusCode::NO_CONTENT, "{reply:#?}");
    assert!(reply.body.is_empty(), "{reply:#?}");
}

fn by_id(upload: &Value) -> String {
    format!("/uploads/{}", id(upload))
}

#[tokio::test]
async fn delete_removes_object_and_marks_upload_deleted() {
    let app = App::start().await;
    for by_path in [false, true] {
        let upload = app.upload(PATH, "bytes", json!({})).await;
        let path = if by_path {
            "/datasets/data/employees.csv".into()
        } else {
            by_id(&upload)
        };
        assert_deleted(&app, &path).await;
        assert!(app.bucket.head(KEY).await.is_none());
        let now = app.read(&upload).await;
        assert_eq!(now["status"], "Deleted", "{now:#}");
        assert_eq!(now["object"], upload["object"], "what was proven is kept");
        let types = app.event_types(&upload).await;
        assert_eq!(
            types,
            ["dataset.uploaded", "dataset.deleting", "dataset.deleted"]
        );
        let again = app
            .delete(&path)
            .await
            .expect_problem(409, "invalid-status");
        assert_eq!(again["upload_status"], "Deleted", "{again:#}");
    }
    // Only the two uploads were notified, in either order.
    let messages = app
        .inbox
        .receive_until(2, crate::support::observe::TIMEOUT)
        .await;
    for message in messages {
        assert_eq!(message.attributes["type"], "dataset.uploaded");
    }
    let more = app.inbox.poll(std::time::Duration::from_secs(1)).await;
    assert!(more.is_empty(), "{more:#?}");
    assert_eq!(app.metric("outbox_depth_events").await, 0.0);
}

#[tokio::test]
async fn delete_rejects_other_states_and_unknown_uploads() {
    let app = App::start().await;
    let pending = app.create("pending", json!({})).await;
    let cancelled = app.create("cancelled", json!({})).await;
    let cancel = format!("{}/cancel", by_id(&cancelled));
    app.post_empty(&cancel).await.expect(StatusCode::OK);
    let superseded = app.upload(PATH, "old", json!({})).await;
    let current = app.upload(PATH, "new", json!({"overwrite": true})).await;
    for (upload, status) in [
        (&pending, "Pending"),
        (&cancelled, "Cancelled"),
        (&superseded, "Superseded"),
    ] {
        for force in ["", "?force=true"] {
            let reply = app.delete(&(by_id(upload) + force)).await;
            let problem = reply.expect_problem(409, "invalid-status");
            assert_eq!(problem["upload_status"], status, "{problem:#}");
            assert_eq!(problem["upload_id"], upload["id"], "{problem:#}");
        }
        assert_eq!(app.read(upload).await["status"], status);
    }
    assert_eq!(app.bucket.get(KEY).await, b"new");
    // A path selects the current upload.
    assert_deleted(&app, "/datasets/data/employees.csv").await;
    assert_eq!(app.read(&current).await["status"], "Deleted");

    let unknown = format!("/uploads/{}", uuid::Uuid::now_v7());
    app.delete(&unknown)
        .await
        .expect_problem(404, "upload-not-found");
    app.bucket.put("strange", "not by an upload").await;
    let strange = app.delete("/datasets/strange").await;
    strange.expect_problem(404, "dataset-not-found");
    assert_eq!(app.bucket.get("strange").await, b"not by an upload");
}

#[tokio::test]
async fn delete_of_upload_without_object_marks_row_deleted() {
    let app = App::start().await;
    let upload = app.upload(PATH, "bytes", json!({})).await;
    let delete = app.bucket.client.delete_object().bucket(&app.bucket.name);
    delete.key(KEY).send().await.expect("a delete");
    assert_deleted(&app, &by_id(&upload)).await;
    assert_eq!(app.read(&upload).await["status"], "Deleted");
}

#[tokio::test]
async fn delete_of_failed_upload_removes_only_its_own_object() {
    let app = App::start().await;
    let foreign = app.create(PATH, json!({})).await;
    app.bucket.put(KEY, "from another program").await;
    app.acknowledge(&foreign)
        .await
        .expect_problem(409, "dataset-exists");
    assert_deleted(&app, &by_id(&foreign)).await;
    assert_eq!(app.bucket.get(KEY).await, b"from another program");
    let types = app.event_types(&foreign).await;
    assert_eq!(
        types,
        ["upload.failed", "dataset.deleting", "dataset.deleted"]
    );

    // Not even force makes a failed upload delete a foreign object.
    for force in ["?force=true", "?force=remove"] {
        let forced = app.create("other", json!({})).await;
        app.bucket.put("other", "from another program").await;
        app.acknowledge(&forced)
            .await
            .expect_problem(409, "dataset-exists");
        assert_deleted(&app, &(by_id(&forced) + force)).await;
        assert_eq!(app.bucket.get("other").await, b"from another program");
    }

    let own = app.create("own", json!({"size": 1})).await;
    app.bucket
        .put_as(id(&own), "own", "too long", "application/octet-stream")
        .await;
    app.acknowledge(&own)
        .await
        .expect_problem(422, "object-mismatch");
    assert_deleted(&app, "/datasets/own").await;
    assert!(app.bucket.head("own").await.is_none());
}

#[tokio::test]
async fn path_can_be_used_again_after_delete() {
    let app = App::start().await;
    let first = app.upload(PATH, "one", json!({})).await;
    assert_deleted(&app, &by_id(&first)).await;
    let second = app.upload(PATH, "two", json!({})).await;
    assert_ne!(first["id"], second["id"]);
    assert_eq!(app.bucket.get(KEY).await, b"two");
    // The old upload cannot delete the new object.
    app.delete(&(by_id(&first) + "?force=true"))
        .await
        .expect_problem(409, "invalid-status");
    assert_eq!(app.bucket.get(KEY).await, b"two");
}

#[tokio::test]
async fn delete_in_versioned_bucket_does_not_restore_previous_version() {
    let app = App::start().await;
    app.bucket.keep_versions().await;
    app.upload(PATH, "old", json!({})).await;
    let new = app.upload(PATH, "new", json!({"overwrite": true})).await;
    assert_deleted(&app, &by_id(&new)).await;
    assert!(
        app.bucket.head(KEY).await.is_none(),
        "an older version is back"
    );
    let listed = app.get("/datasets").await.expect(StatusCode::OK);
    assert_eq!(listed, json!([]));

    // The versions are hidden, not destroyed: the store still has both.
    let versions = app.bucket.client.list_object_versions();
    let versions = versions.bucket(&app.bucket.name).send().await;
    let versions = versions.expect("the versions");
    assert_eq!(versions.versions().len(), 2, "{versions:#?}");
    assert_eq!(versions.delete_markers().len(), 1, "{versions:#?}");
}

#[tokio::test]
async fn delete_by_path_leaves_no_object_or_fails() {
    let app = App::start().await;
    let failed = app.create(PATH, json!({})).await;
    app.bucket.put(KEY, "from another program").await;
    let taken = app.acknowledge(&failed).await;
    taken.expect_problem(409, "dataset-exists");
    for force in ["", "?force=false", "?force=true"] {
        let reply = app.delete(&format!("/datasets{PATH}{force}")).await;
        let problem = reply.expect_problem(409, "dataset-drifted");
        assert_eq!(problem["upload_id"], failed["id"], "{problem:#}");
        assert_eq!(app.read(&failed).await["status"], "Error");
        assert_eq!(app.bucket.get(KEY).await, b"from another program");
    }
    assert_deleted(&app, &format!("/datasets{PATH}?force=remove")).await;
    assert!(app.bucket.head(KEY).await.is_none());
    assert_eq!(app.read(&failed).await["status"], "Deleted");

    let drifted = app.upload(PATH, "bytes", json!({})).await;
    app.bucket.put(KEY, "from another program").await;
    let reply = app.delete(&format!("/datasets{PATH}?force=true")).await;
    reply.expect_problem(409, "dataset-drifted");
    assert_eq!(app.read(&drifted).await["status"], "Uploaded");
    assert_deleted(&app, &format!("/datasets{PATH}?force=remove")).await;
    assert!(app.bucket.head(KEY).await.is_none());
}
