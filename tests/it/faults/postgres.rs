//! Postgres is unavailable, restarts during a transaction, or makes the broker wait.

use reqwest::{Method, StatusCode};
use serde_json::json;

use super::assert_unavailable;
use crate::support::app::{App, Setup, id};
use crate::support::database;
use crate::support::gate::Gate;
use crate::support::observe::eventually;
use crate::support::reply::Reply;

#[tokio::test]
async fn postgres_outage_is_503_and_recovers_without_restart() {
    let gate = Gate::new(database::address());
    let app = Setup::new().postgres(gate.addr()).start().await;
    let session = app.create("a.csv", json!({})).await;
    app.put(&session, "a").await.expect_ok();
    // The key is cached for some seconds from now on.
    gate.close().await;

    let path = format!("/uploads/{}", id(&session));
    let acknowledge = format!("{path}/acknowledge");
    let calls = [
        app.request(Method::GET, &path),
        app.request(Method::POST, "/uploads")
            .json(&json!({"path": "b"})),
        app.request(Method::POST, &acknowledge),
        app.request(Method::POST, &format!("{path}/cancel")),
        app.request(Method::DELETE, &path),
        app.request(Method::GET, "/uploads"),
        app.request(Method::GET, "/datasets?include=upload"),
        app.request(Method::GET, "/datasets/a.csv"),
        app.request(Method::GET, &format!("{path}/events")),
        app.http
            .get(format!("{}{path}", app.url))
            .bearer_auth(app.key.chars().rev().collect::<String>()),
    ];
    let replies = futures::future::join_all(calls.map(Reply::of)).await;
    let (stranger, known) = replies
        .split_last_chunk::<1>()
        .map(|(a, b)| (b, a))
        .unwrap();
    // A text without the shape of a key is rejected, whether Postgres is available or not.
    assert_eq!(
        stranger[0].status,
        StatusCode::UNAUTHORIZED,
        "{stranger:#?}"
    );
    assert_eq!(known.len(), 9);
    for reply in replies.into_iter().take(9) {
        assert_unavailable(&app, reply, "Postgres");
    }
    assert_eq!(app.get("/livez").await.status, StatusCode::OK);
    let ready = app.get("/readyz").await;
    assert_eq!(ready.status, StatusCode::SERVICE_UNAVAILABLE, "{ready:#?}");
    assert_eq!(ready.json()["checks"]["postgres"], "unavailable");
    assert_eq!(ready.json()["outbox"], json!(null));

    gate.restore();
    let list = app.get("/uploads").await.expect(StatusCode::OK);
    assert_eq!(list[0]["updated_at"], session["updated_at"], "{list:#}");
    assert_eq!(list.as_array().unwrap().len(), 1, "no half row: {list:#}");
    let uploaded = app.acknowledge(&session).await.expect(StatusCode::OK);
    assert_eq!(uploaded["status"], "Uploaded", "{uploaded:#}");
    assert_eq!(app.event_types(&session).await, ["dataset.uploaded"]);
    // The background loops recovered too: the notification is sent.
    app.inbox
        .receive_until(1, crate::support::observe::TIMEOUT)
        .await;
}

#[tokio::test]
async fn terminated_connections_are_replaced() {
    let app = App::start().await;
    for round in 0..3 {
        let calls = (0..8).map(|n| {
            let body = json!({"path": format!("{round}/{n}")});
            app.post("/uploads", body)
        });
        futures::future::join_all(calls).await;
        assert!(terminate(&app, "true").await > 0);
        // A request at that moment may get 503, and nothing worse.
        eventually("requests are served again", async || {
            let reply = app.post("/uploads", json!({"path": "again"})).await;
            let served = reply.status == StatusCode::CREATED;
            if !served {
                assert_unavailable(&app, reply, "Postgres");
            }
            served
        })
        .await;
    }
}

/// Terminates the broker's sessions that match `which`; returns how many.
async fn terminate(app: &App, which: &str) -> i64 {
    let sql = format!(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
         WHERE datname = current_database() AND application_name = 'upload-broker' AND ({which})"
    );
    let client = app.sql().await;
    client.query_one(&sql, &[]).await.expect("an answer").get(0)
}

#[tokio::test]
async fn terminated_transaction_leaves_no_changes() {
    let app = App::start().await;
    let session = app.create("a.csv", json!({})).await;
    app.put(&session, "a").await.expect_ok();
    let tear = async { assert_eq!(terminate(&app, "wait_event_type = 'Lock'").await, 1) };
    let reply = app.run_before_write(app.acknowledge(&session), tear).await;
    assert_unavailable(&app, reply, "Postgres");
    assert_eq!(app.read(&session).await["status"], "Pending");
    assert!(app.event_types(&session).await.is_empty());
    app.acknowledge(&session).await.expect(StatusCode::OK);
    assert_eq!(app.event_types(&session).await, ["dataset.uploaded"]);
}

#[tokio::test]
async fn acknowledge_of_locked_row_times_out_and_succeeds_later() {
    let app = App::start().await;
    let session = app.create("a.csv", json!({})).await;
    app.put(&session, "a").await.expect_ok();
    let mut client = app.sql().await;
    let lock = client.transaction().await.expect("a transaction");
    lock.execute("SELECT 1 FROM uploads FOR UPDATE", &[])
        .await
        .expect("a lock");
    let reply = app.acknowledge(&session).await;
    assert_unavailable(&app, reply, "Postgres");
    app.assert_no_open_transaction().await;
    lock.rollback().await.expect("a rollback");
    app.acknowledge(&session).await.expect(StatusCode::OK);
}

#[tokio::test]
async fn postgres_outage_during_transition_leaves_upload_unchanged() {
    let gate = Gate::new(database::address());
    let app = Setup::new().postgres(gate.addr()).start().await;
    for (verb, before, after) in [
        ("acknowledge", "Pending", "Uploaded"),
        ("cancel", "Pending", "Cancelled"),
        ("delete", "Uploaded", "Deleted"),
    ] {
        let session = app.create(verb, json!({})).await;
        app.put(&session, "a").await.expect_ok();
        if before == "Uploaded" {
            app.acknowledge(&session).await.expect(StatusCode::OK);
        }
        let (upload, types) = (app.read(&session).await, app.event_types(&session).await);
        assert_eq!(upload["status"], before, "{upload:#}");
        let path = format!("/uploads/{}", id(&session));
        let call = || match verb {
            "delete" => app.request(Method::DELETE, &path),
            verb => app.request(Method::POST, &format!("{path}/{verb}")),
        };
        let reply = app.run_before_write(Reply::of(call()), gate.close()).await;
        assert_unavailable(&app, reply, "Postgres");
        gate.restore();
        assert_eq!(app.read(&session).await, upload, "{verb}");
        assert_eq!(app.event_types(&session).await, types, "{verb}");
        app.assert_no_open_transaction().await;
        Reply::of(call()).await.expect_ok();
        assert_eq!(app.read(&session).await["status"], after, "{verb}");
        assert!(
            app.event_types(&session).await.len() > types.len(),
            "{verb}"
        );
    }
}
