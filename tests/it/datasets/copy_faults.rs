//! Copies during concurrent writes, and while the store fails.

use chrono::TimeDelta;
use reqwest::StatusCode;
use serde_json::{Value, json};

use super::copy::copy;
use crate::support::app::{App, Setup};
use crate::support::faulty_proxy::{FaultyProxy, Mode};
use crate::support::gate::Gate;
use crate::support::observe::eventually;
use crate::support::reply::Reply;
use crate::support::store::Store;

/// Copies `/a` to `/b`, and runs `act` after the broker has examined both and before the store
/// copies.
async fn copy_while(app: &App, body: Value, act: impl Future<Output = ()>) -> Reply {
    let mut client = app.sql().await;
    let lock = client.transaction().await.expect("a transaction");
    let table = "LOCK TABLE uploads IN SHARE ROW EXCLUSIVE MODE";
    lock.batch_execute(table).await.expect("a lock");
    let act = async {
        eventually("the row of the copy waits", async || {
            app.waiting_for_locks().await > 0
        })
        .await;
        act.await;
        lock.rollback().await.expect("a rollback");
    };
    tokio::join!(copy(app, "/a", body), act).0
}

/// The newest upload at `/b`.
async fn newest(app: &App) -> Value {
    let uploads = app.get("/uploads?path=/b").await.expect(StatusCode::OK);
    uploads[0].clone()
}

#[tokio::test]
async fn copy_fails_and_keeps_source_that_is_replaced_meanwhile() {
    let store = Store::start().await;
    let app = Setup::new().store(&store).start().await;
    let uploaded = app.upload("/a", "proven", json!({})).await;
    let body = json!({"to": "/b", "move": true});
    let reply = copy_while(&app, body, app.bucket.put("a", "foreign")).await;
    let problem = reply.expect_problem(409, "dataset-drifted");
    assert_eq!(problem["upload_id"], uploaded["id"], "{problem:#}");
    assert_eq!(app.bucket.get("a").await, b"foreign");
    assert!(app.bucket.head("b").await.is_none());
    assert_eq!(newest(&app).await["status"], "Cancelled");
}

#[tokio::test]
async fn copy_of_source_that_is_deleted_meanwhile_is_not_found() {
    let store = Store::start().await;
    let app = Setup::new().store(&store).start().await;
    app.upload("/a", "proven", json!({})).await;
    let reply = copy_while(&app, json!({"to": "/b"}), app.bucket.remove("a")).await;
    reply.expect_problem(404, "dataset-not-found");
    assert_eq!(newest(&app).await["status"], "Cancelled");
}

#[tokio::test]
async fn copy_keeps_object_that_appears_at_target_meanwhile() {
    let store = Store::start().await;
    let app = Setup::new().store(&store).start().await;
    app.upload("/a", "proven", json!({})).await;
    let reply = copy_while(&app, json!({"to": "/b"}), app.bucket.put("b", "foreign")).await;
    reply.expect_problem(409, "dataset-exists");
    assert_eq!(app.bucket.get("b").await, b"foreign");
    assert_eq!(newest(&app).await["status"], "Error");

    // The same when one exact version was to be replaced.
    let etag = app.bucket.head("b").await.expect("an object").e_tag;
    let body = json!({"to": "/b", "if_match": etag});
    let reply = copy_while(&app, body, app.bucket.put("b", "newer")).await;
    reply.expect_problem(409, "dataset-exists");
    assert_eq!(app.bucket.get("b").await, b"newer");
    assert_eq!(newest(&app).await["status"], "Cancelled");
}

#[tokio::test]
async fn copy_is_proven_when_answer_of_store_is_lost() {
    let store = Store::start().await;
    let gate = Gate::new(store.addr());
    let setup = Setup::new().store(&store).s3(gate.endpoint());
    let setup = setup.set("BROKER_S3_PUBLIC_ENDPOINT", store.endpoint());
    let app = setup.start().await;
    app.upload("/a", "bytes", json!({})).await;
    let lose = async {
        gate.block_responses();
        eventually("the store has copied", async || {
            app.bucket.head("b").await.is_some()
        })
        .await;
        gate.drop_connections().await;
    };
    let mut client = app.sql().await;
    let lock = client.transaction().await.expect("a transaction");
    let table = "LOCK TABLE uploads IN SHARE ROW EXCLUSIVE MODE";
    lock.batch_execute(table).await.expect("a lock");
    let lose = async {
        eventually("the row of the copy waits", async || {
            app.waiting_for_locks().await > 0
        })
        .await;
        let release = async { lock.rollback().await.expect("a rollback") };
        tokio::join!(lose, release);
    };
    let (reply, ()) = tokio::join!(copy(&app, "/a", json!({"to": "/b"})), lose);
    let upload = reply.expect(StatusCode::CREATED);
    assert_eq!(upload["status"], "Uploaded", "{upload:#}");
    assert_eq!(app.event_types(&upload).await, ["dataset.uploaded"]);
}

#[tokio::test]
async fn copy_that_exceeds_request_timeout_continues_in_background() {
    let store = Store::start().await;
    let proxy = FaultyProxy::new(store.addr());
    let setup = Setup::new().store(&store).s3(proxy.endpoint());
    let setup = setup.set("BROKER_S3_PUBLIC_ENDPOINT", store.endpoint());
    let app = setup.set("BROKER_REQUEST_TIMEOUT_SECONDS", 4).start().await;
    let original = app.upload("/a", "bytes", json!({})).await;
    proxy.set_mode(Mode::StallMatching(store.addr(), "x-amz-copy-source"));
    let reply = copy(&app, "/a", json!({"to": "/b", "move": true})).await;
    assert!(reply.header("location").is_some(), "{reply:#?}");
    let upload = reply.expect(StatusCode::ACCEPTED);
    assert_eq!(upload["status"], "Pending", "{upload:#}");
    assert!(app.bucket.head("a").await.is_some());
    proxy.set_mode(Mode::Forward(store.addr()));
    eventually("the copy is proven", async || {
        app.read(&upload).await["status"] == "Uploaded"
    })
    .await;
    eventually("the source is deleted", async || {
        app.read(&original).await["status"] == "Deleted"
    })
    .await;
    assert_eq!(app.bucket.get("b").await, b"bytes");
}

#[tokio::test]
async fn failed_copy_keeps_source_and_its_row_expires() {
    const FAULT: &str =
        "HTTP/1.1 500 Internal Server Error\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    let store = Store::start().await;
    let proxy = FaultyProxy::new(store.addr());
    let setup = Setup::new().store(&store).s3(proxy.endpoint());
    let setup = setup.set("BROKER_S3_PUBLIC_ENDPOINT", store.endpoint());
    let app = setup.start().await;
    let original = app.upload("/a", "bytes", json!({})).await;
    proxy.set_mode(Mode::RespondToMatching(
        store.addr(),
        "x-amz-copy-source",
        FAULT,
    ));
    let reply = copy(&app, "/a", json!({"to": "/b", "move": true})).await;
    reply.expect_problem(503, "service-unavailable");
    assert_eq!(app.read(&original).await["status"], "Uploaded");
    assert_eq!(newest(&app).await["status"], "Pending");
    proxy.set_mode(Mode::Forward(store.addr()));
    app.advance(TimeDelta::hours(2));
    app.janitor().await;
    assert_eq!(newest(&app).await["status"], "Expired");
    let again = copy(&app, "/a", json!({"to": "/b", "move": true})).await;
    again.expect(StatusCode::CREATED);
    assert_eq!(app.bucket.get("b").await, b"bytes");
}
