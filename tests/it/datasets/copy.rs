//! `POST /datasets/{path}/action/copy` copies and moves a dataset.

use std::collections::BTreeSet;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use upload_broker::domain::principal::Scope;

use crate::support::app::{App, Setup, id};
use crate::support::observe::eventually;
use crate::support::process::TIMEOUT;
use crate::support::reply::Reply;
use crate::support::store::Store;

const MIB: usize = 1 << 20;

/// Requests a copy of the dataset at `from`.
pub async fn copy(app: &App, from: &str, body: Value) -> Reply {
    app.post(&format!("/datasets{from}/action/copy"), body)
        .await
}

#[tokio::test]
async fn copy_is_an_upload_with_its_own_proof_and_event() {
    let app = App::start().await;
    let original = app
        .upload(
            "/data/a.csv",
            "id,name\n1,Ada\n",
            json!({"name": "Staff", "comments": "c", "metadata": {"team": "hr"},
                "cache_control": "no-store", "content_disposition": "inline"}),
        )
        .await;
    let reply = copy(&app, "/data/a.csv", json!({"to": "/new/b.csv"})).await;
    let location = reply.header("location").expect("a location").to_owned();
    let upload = reply.expect(StatusCode::CREATED);
    assert_eq!(location, format!("/uploads/{}", id(&upload)));
    assert_ne!(upload["id"], original["id"]);
    assert_eq!(upload["status"], "Uploaded", "{upload:#}");
    assert_eq!(upload["path"], "/new/b.csv", "{upload:#}");
    for member in ["name", "comments", "metadata", "content_type"] {
        assert_eq!(upload[member], original[member], "{member} of {upload:#}");
    }
    assert_eq!(upload["object"]["size"], 14, "{upload:#}");
    assert_ne!(upload["verification"]["level"], "existence", "{upload:#}");
    assert_eq!(app.read(&upload).await, upload);
    assert_eq!(app.event_types(&upload).await, ["dataset.uploaded"]);
    let notified = app.inbox.receive_until(2, TIMEOUT).await;
    let paths: BTreeSet<String> = (notified.iter())
        .map(|message| message.json()["data"]["path"].to_string())
        .collect();
    assert_eq!(paths.len(), 2, "{notified:#?}");

    assert_eq!(app.bucket.get("new/b.csv").await, b"id,name\n1,Ada\n");
    let object = app.bucket.head("new/b.csv").await.expect("the copy");
    assert_eq!(object.cache_control.as_deref(), Some("no-store"));
    assert_eq!(object.content_disposition.as_deref(), Some("inline"));
    let metadata = object.metadata.expect("metadata");
    assert_eq!(metadata["upload-id"], id(&upload));
    let detail = app.get("/datasets/new/b.csv").await.expect(StatusCode::OK);
    assert_eq!(detail["upload"]["id"], upload["id"], "{detail:#}");
    // The original is unchanged.
    assert_eq!(app.read(&original).await, original);
    let detail = app.get("/datasets/data/a.csv").await.expect(StatusCode::OK);
    assert_eq!(detail["etag"], original["object"]["etag"], "{detail:#}");
    assert_eq!(detail["upload"]["id"], original["id"], "{detail:#}");
    let mut row = Value::Null;
    eventually("the audit is written", async || {
        let rows = app.get("/audit?action=dataset.copied").await;
        row = rows.expect(StatusCode::OK)[0].clone();
        row.is_object()
    })
    .await;
    assert_eq!(row["upload_id"], upload["id"], "{row:#}");
    assert_eq!(row["path"], "/new/b.csv", "{row:#}");
    assert_eq!(row["subject"], "/data/a.csv", "{row:#}");
}

#[tokio::test]
async fn copy_keeps_proven_checksum_and_tags() {
    let store = Store::start().await;
    let app = Setup::new().store(&store).start().await;
    let checksum = json!({"algorithm": "CRC32", "value": "tsOTXA=="});
    let more = json!({"checksum": checksum, "tags": {"k": "v"}});
    app.upload("/a.csv", "id,name\n1,Ada\n", more).await;
    let upload = copy(&app, "/a.csv", json!({"to": "b.csv"})).await;
    let upload = upload.expect(StatusCode::CREATED);
    assert_eq!(upload["name"], "b", "a name of the path follows the path");
    assert_eq!(upload["checksum"], checksum, "{upload:#}");
    assert_eq!(upload["object"]["checksum"], checksum, "{upload:#}");
    assert_eq!(upload["verification"]["level"], "checksum", "{upload:#}");
    let tags = app.bucket.client.get_object_tagging();
    let tags = tags.bucket(&app.bucket.name).key("b.csv").send().await;
    let tags = tags.expect("tags");
    assert_eq!(tags.tag_set()[0].key(), "k", "{tags:?}");
}

#[tokio::test]
async fn copy_of_object_without_upload_keeps_metadata_and_cannot_move() {
    let app = App::start().await;
    let put = app.bucket.client.put_object().bucket(&app.bucket.name);
    let put = put.key("in/a b+c.bin").content_type("application/x-odd");
    let put = put.metadata("team", "hr").body(b"foreign".to_vec().into());
    put.send().await.expect("an object");
    let reply = copy(&app, "/in/a%20b+c.bin", json!({"to": "/out/a.bin"})).await;
    let upload = reply.expect(StatusCode::CREATED);
    assert_eq!(upload["content_type"], "application/x-odd", "{upload:#}");
    let object = app.bucket.head("out/a.bin").await.expect("the copy");
    let metadata = object.metadata.expect("metadata");
    assert_eq!(metadata["team"], "hr");
    assert_eq!(metadata["upload-id"], id(&upload));
    assert_eq!(app.bucket.get("out/a.bin").await, b"foreign");
    // The broker does not delete an object for which it has no upload.
    let reply = copy(
        &app,
        "/in/a%20b+c.bin",
        json!({"to": "/c.bin", "move": true}),
    )
    .await;
    reply.expect_problem(404, "dataset-not-found");
    assert!(app.bucket.head("in/a b+c.bin").await.is_some());
    assert!(app.bucket.head("c.bin").await.is_none());
}

#[tokio::test]
async fn move_deletes_source_after_copy_is_proven_and_needs_delete_scope() {
    let app = App::start().await;
    let original = app.upload("/old/a.csv", "bytes", json!({})).await;
    let body = json!({"to": "/new/a.csv", "move": true});
    let upload = copy(&app, "/old/a.csv", body.clone()).await;
    let upload = upload.expect(StatusCode::CREATED);
    assert_eq!(app.bucket.get("new/a.csv").await, b"bytes");
    assert!(app.bucket.head("old/a.csv").await.is_none());
    assert_eq!(app.read(&original).await["status"], "Deleted");
    assert_eq!(app.event_types(&upload).await, ["dataset.uploaded"]);
    app.get("/datasets/old/a.csv")
        .await
        .expect_problem(404, "dataset-not-found");
    copy(&app, "/old/a.csv", body)
        .await
        .expect_problem(404, "dataset-not-found");

    // A move needs the scope to delete, which a copy does not.
    let scopes = [Scope::UploadsWrite, Scope::DatasetsRead];
    let (_, key) = app.issue_key("default", &scopes, None).await;
    for (to, moves, status) in [("/x", true, 403), ("/y", false, 201)] {
        let url = format!("{}/datasets/new/a.csv/action/copy", app.url);
        let request = app.http.request(Method::POST, url).bearer_auth(&key);
        let reply = Reply::of(request.json(&json!({"to": to, "move": moves}))).await;
        assert_eq!(reply.status.as_u16(), status, "{reply:#?}");
    }
    assert!(app.bucket.head("new/a.csv").await.is_some());
}

#[tokio::test]
async fn copy_above_threshold_uses_parts() {
    let store = Store::start().await;
    let setup = Setup::new().set("BROKER_COPY_THRESHOLD_BYTES", 5 * MIB);
    let app = setup.store(&store).start().await;
    let bytes: Vec<u8> = (0..12 * MIB)
        .map(|at| u8::try_from(at / 7 % 251).expect("a byte"))
        .collect();
    let put = app.bucket.client.put_object().bucket(&app.bucket.name);
    let put = put.key("large.bin").metadata("team", "hr");
    put.body(bytes.clone().into())
        .send()
        .await
        .expect("an object");
    let upload = copy(&app, "/large.bin", json!({"to": "/copy.bin"})).await;
    let upload = upload.expect(StatusCode::CREATED);
    assert_eq!(upload["status"], "Uploaded", "{upload:#}");
    assert_eq!(upload["object"]["size"], 12 * MIB, "{upload:#}");
    assert_eq!(upload["verification"]["level"], "checksum", "{upload:#}");
    assert_eq!(upload["multipart"]["part_count"], 3, "{upload:#}");
    assert!(app.bucket.get("copy.bin").await == bytes, "other bytes");
    let object = app.bucket.head("copy.bin").await.expect("the copy");
    assert_eq!(object.metadata.expect("metadata")["team"], "hr");
    assert_eq!(app.event_types(&upload).await, ["dataset.uploaded"]);
    let calls = r#"s3_call_duration_seconds_count{operation="UploadPartCopy",outcome="ok"}"#;
    assert_eq!(app.metric(calls).await, 3.0);

    let moved = copy(&app, "/copy.bin", json!({"to": "/moved.bin", "move": true})).await;
    moved.expect(StatusCode::CREATED);
    assert!(app.bucket.get("moved.bin").await == bytes, "other bytes");
    assert!(app.bucket.head("copy.bin").await.is_none());
    assert!(app.bucket.open_keys().await.is_empty());
}
