//! Clients that disconnect while the broker works for them.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::app::{App, id};
use crate::support::observe::eventually;
use crate::support::reply::Reply;

/// Sends the request, disconnects once the broker waits for a lock that the test holds, and
/// releases the lock.
async fn hang_up(app: &App, lock: &str, request: reqwest::RequestBuilder) {
    let mut client = app.sql().await;
    let holding = client.transaction().await.expect("a transaction");
    holding.batch_execute(lock).await.expect("a lock");
    let waiting = eventually("the broker waits for the lock", async || {
        app.waiting_for_locks().await >= 1
    });
    tokio::select! {
        () = waiting => {}
        reply = Reply::of(request) => panic!("answered: {reply:#?}"),
    }
    holding.rollback().await.expect("a rollback");
}

const ROWS: &str = "SELECT 1 FROM uploads FOR UPDATE";
const TABLE: &str = "LOCK TABLE uploads IN ACCESS EXCLUSIVE MODE";

async fn wait_for_status(app: &App, session: &Value, status: &str) {
    eventually(status, async || app.read(session).await["status"] == status).await;
}

#[tokio::test]
async fn acknowledge_completes_after_client_disconnects() {
    let app = App::start().await;
    let session = app.create("a.csv", json!({})).await;
    app.put(&session, "a").await.expect_ok();
    let path = format!("/uploads/{}/acknowledge", id(&session));
    hang_up(&app, ROWS, app.request(Method::POST, &path)).await;
    wait_for_status(&app, &session, "Uploaded").await;
    app.assert_no_open_transaction().await;
    assert_eq!(app.event_types(&session).await, ["dataset.uploaded"]);
}

#[tokio::test]
async fn delete_and_cancel_complete_after_client_disconnects() {
    let app = App::start().await;
    let stored = app.upload("stored", "bytes", json!({})).await;
    let path = format!("/uploads/{}", id(&stored));
    hang_up(&app, ROWS, app.request(Method::DELETE, &path)).await;
    wait_for_status(&app, &stored, "Deleted").await;
    assert!(app.bucket.head("stored").await.is_none());

    let session = app.create("a.csv", json!({})).await;
    app.put(&session, "a").await.expect_ok();
    let path = format!("/uploads/{}/cancel", id(&session));
    hang_up(&app, ROWS, app.request(Method::POST, &path)).await;
    wait_for_status(&app, &session, "Cancelled").await;
    eventually("its object is gone", async || {
        app.bucket.head("a.csv").await.is_none()
    })
    .await;
    app.assert_no_open_transaction().await;
}

#[tokio::test]
async fn disconnected_reads_and_creates_leave_no_transaction_open() {
    let app = App::start().await;
    let session = app.create("a.csv", json!({})).await;
    let path = format!("/uploads/{}", id(&session));
    for round in 0..20 {
        let body = json!({"path": format!("b/{round}")});
        let request = match round % 4 {
            0 => app.request(Method::POST, "/uploads").json(&body),
            1 => app.request(Method::GET, &path),
            2 => app.request(Method::GET, &format!("{path}?refresh_urls=true")),
            _ => app.request(Method::GET, "/uploads?prefix=/b/"),
        };
        hang_up(&app, TABLE, request).await;
    }
    app.assert_no_open_transaction().await;
    // The pool has as many connections as before, and each of them works.
    let calls = (0..50).map(|n| {
        let app = &app;
        async move { app.create(&format!("c/{n}"), json!({})).await }
    });
    futures::future::join_all(calls).await;
    let list = app.get("/uploads?prefix=/c/").await.expect(StatusCode::OK);
    assert_eq!(list.as_array().unwrap().len(), 50);
}
