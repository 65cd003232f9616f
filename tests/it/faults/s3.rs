//! S3 is unavailable, hangs, or rejects the broker's credentials.

use std::net::{Ipv4Addr, TcpListener};

use aws_credential_types::Credentials;
use reqwest::StatusCode;
use serde_json::json;

use super::assert_unavailable;
use crate::support::app::{App, Setup, id};
use crate::support::cloud::{self, ACCESS_KEY_ID};
use crate::support::gate::Gate;
use crate::support::observe::eventually;
use crate::support::store::Store;

#[tokio::test]
async fn s3_outage_is_503_and_recovers_without_restart() {
    let gate = Gate::new(cloud::address());
    let app = Setup::new().s3(gate.endpoint()).start().await;
    let stored = app.upload("stored", "bytes", json!({})).await;
    let session = app.create("a.csv", json!({})).await;
    app.put(&session, "a").await.expect_ok();
    gate.close().await;

    let acknowledge = format!("/uploads/{}/acknowledge", id(&session));
    let delete = format!("/uploads/{}", id(&stored));
    let (one, two, three, four, five) = tokio::join!(
        app.post_empty(&acknowledge),
        app.post_empty("/datasets/a.csv/action/acknowledge"),
        app.delete(&delete),
        app.get("/datasets"),
        app.get("/datasets/stored"),
    );
    for reply in [one, two, three, four, five] {
        assert_unavailable(&app, reply, "S3");
    }
    assert_eq!(app.read(&stored).await, stored, "the delete has not begun");
    let now = app.read(&session).await;
    assert_eq!(now["status"], "Pending", "{now:#}");
    assert_eq!(now["updated_at"], session["updated_at"], "{now:#}");
    assert!(app.event_types(&session).await.is_empty());
    // Requests without S3 calls still work: signing is local.
    let other = app.create("b.csv", json!({})).await;
    wait_for_readiness(&app, false).await;

    gate.restore();
    app.post_empty(&acknowledge).await.expect(StatusCode::OK);
    app.put(&other, "b").await.expect_ok();
    app.acknowledge(&other).await.expect(StatusCode::OK);
    app.delete("/datasets/stored").await.expect_ok();
    wait_for_readiness(&app, true).await;
}

async fn wait_for_readiness(app: &App, ready: bool) {
    eventually("readyz says how S3 is", async || {
        let reply = app.get("/readyz").await;
        let status = if ready { 200 } else { 503 };
        let word = if ready { "ok" } else { "unavailable" };
        let body = reply.json();
        body["checks"]["postgres"] == "ok" && reply.status == status && body["checks"]["s3"] == word
    })
    .await;
}

#[tokio::test]
async fn cancel_works_without_s3() {
    let gate = Gate::new(cloud::address());
    let app = Setup::new().s3(gate.endpoint()).start().await;
    let session = app.create("a.csv", json!({})).await;
    gate.close().await;
    let cancel = format!("/uploads/{}/cancel", id(&session));
    let cancelled = app.post_empty(&cancel).await.expect(StatusCode::OK);
    assert_eq!(cancelled["status"], "Cancelled", "{cancelled:#}");
}

#[tokio::test]
async fn acknowledge_times_out_when_store_never_answers() {
    // The kernel accepts connections, and no process reads from them.
    let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let endpoint = format!("http://{}", silent.local_addr().expect("its address"));
    let app = Setup::new().s3(endpoint).start().await;
    let session = app.create("a.csv", json!({})).await;
    let reply = app.acknowledge(&session).await;
    assert_unavailable(&app, reply, "S3");
    assert_eq!(app.read(&session).await["status"], "Pending");
    app.assert_no_open_transaction().await;
}

#[tokio::test]
async fn rejected_broker_credentials_are_503_for_clients() {
    let wrong = Credentials::new(ACCESS_KEY_ID, "not the secret", None, None, "tests");
    // ministack answers 404 to a HEAD before it checks the signature; AWS does not.
    let store = Store::start().await;
    let app = Setup::new().store(&store).credentials(wrong);
    let app = app.start().await;
    let session = app.create("a.csv", json!({})).await;
    assert_unavailable(&app, app.acknowledge(&session).await, "S3");
    assert_unavailable(&app, app.get("/datasets").await, "S3");
    assert_eq!(app.read(&session).await["status"], "Pending");
}

#[tokio::test]
async fn s3_outage_during_delete_leaves_it_resumable() {
    let gate = Gate::new(cloud::address());
    let app = Setup::new().s3(gate.endpoint()).start().await;
    let stored = app.upload("a.csv", "bytes", json!({})).await;
    let path = format!("/uploads/{}", id(&stored));
    // The broker has examined the object and is about to mark the row.
    let reply = app.run_before_write(app.delete(&path), gate.close()).await;
    assert_unavailable(&app, reply, "S3");
    assert_eq!(
        app.event_types(&stored).await,
        ["dataset.uploaded", "dataset.deleting"]
    );
    gate.restore();
    let reply = app.delete(&path).await;
    assert_eq!(reply.status, StatusCode::NO_CONTENT, "{reply:#?}");
    assert!(app.bucket.head("a.csv").await.is_none());
    let types = app.event_types(&stored).await;
    assert_eq!(
        types,
        ["dataset.uploaded", "dataset.deleting", "dataset.deleted"]
    );
}
