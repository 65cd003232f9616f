//! Overload: the broker refuses excess requests at once, and continues with those that it accepted.

use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::support::app::{App, Setup};
use crate::support::observe::eventually;
use crate::support::raw;
use crate::support::reply::Reply;

/// Asserts a 503 with the code `overloaded` that says when to retry.
#[track_caller]
fn assert_overloaded(reply: Reply) {
    let wait = reply.header("retry-after").map(str::parse::<u32>);
    assert!(matches!(wait, Some(Ok(1..=60))), "{reply:#?}");
    reply.expect_problem(503, "overloaded");
}

/// Creates `count` sessions that wait for a lock, runs `meanwhile`, and releases the lock.
async fn while_busy(app: &App, count: usize, meanwhile: impl AsyncFnOnce()) {
    let mut client = app.sql().await;
    let lock = client.transaction().await.expect("a transaction");
    let table = "LOCK TABLE uploads IN ACCESS EXCLUSIVE MODE";
    lock.batch_execute(table).await.expect("a lock");
    let busy = (0..count).map(|n| async move {
        loop {
            let reply = app
                .post("/uploads", json!({"path": format!("busy/{n}")}))
                .await;
            // The background loops need connections from time to time as well, and waiting for
            // the lock has a time limit.
            if reply.status != StatusCode::SERVICE_UNAVAILABLE {
                return reply;
            }
            assert!(reply.header("retry-after").is_some(), "{reply:#?}");
        }
    });
    let meanwhile = async {
        eventually("they wait for the lock", async || {
            app.waiting_for_locks().await >= i64::try_from(count).unwrap()
        })
        .await;
        meanwhile().await;
        lock.rollback().await.expect("a rollback");
    };
    let (replies, ()) = tokio::join!(futures::future::join_all(busy), meanwhile);
    for reply in replies {
        reply.expect(StatusCode::CREATED);
    }
}

#[tokio::test]
async fn requests_above_in_flight_limit_are_refused_unread() {
    let app = Setup::new().set("BROKER_MAX_IN_FLIGHT", 2).start().await;
    while_busy(&app, 2, async || {
        assert_overloaded(app.get("/uploads").await);
        assert_overloaded(app.get("/docs/").await);
        // Refused before authentication: the key is not checked.
        let stranger = app
            .http
            .request(Method::GET, format!("{}/uploads", app.url));
        assert_overloaded(Reply::of(stranger).await);
        // The body is not waited for either: this one never arrives.
        let request = raw::request(&app, "POST /uploads", "content-length: 50\r\n", b"");
        raw::send(&app, request)
            .await
            .expect_problem(503, "overloaded");
        // Probes and metrics are still answered.
        for path in ["/livez", "/heartbeat", "/readyz", "/metrics"] {
            app.get(path).await.expect_ok();
        }
        assert_eq!(app.metric("http_requests_shed_total").await, 4.0);
    })
    .await;
    app.get("/uploads").await.expect(StatusCode::OK);
}

#[tokio::test]
async fn work_of_disconnected_client_counts_towards_in_flight_limit() {
    let app = Setup::new().set("BROKER_MAX_IN_FLIGHT", 1).start().await;
    let session = app.create("a.csv", json!({})).await;
    app.put(&session, "a").await.expect_ok();
    let reply = app
        .run_before_write(
            async {
                let acknowledge = app.acknowledge(&session);
                let waits = eventually("it waits", async || app.waiting_for_locks().await == 1);
                tokio::select! {
                    reply = acknowledge => panic!("answered: {reply:#?}"),
                    () = waits => {}
                }
                // The client has disconnected, and the request is still running.
                app.get("/uploads").await
            },
            async {
                eventually("someone was turned away", async || {
                    app.metric("http_requests_shed_total").await > 0.0
                })
                .await;
            },
        )
        .await;
    assert_overloaded(reply);
    eventually("it is finished", async || {
        let reply = app
            .get(&format!("/uploads/{}", crate::support::app::id(&session)))
            .await;
        reply.status == StatusCode::OK && reply.json()["status"] == "Uploaded"
    })
    .await;
}

#[tokio::test]
async fn exhausted_pool_is_reported_as_overloaded_quickly() {
    let app = Setup::new()
        .set("BROKER_DB_POOL_SIZE", 3)
        .set("BROKER_DB_POOL_WAIT_SECONDS", 0.2)
        .start()
        .await;
    app.get("/uploads").await.expect(StatusCode::OK);
    while_busy(&app, 3, async || {
        assert_overloaded(app.get("/uploads").await);
        assert_overloaded(app.post("/uploads", json!({"path": "b"})).await);
        let ready = app.get("/readyz").await;
        assert_eq!(ready.status, StatusCode::SERVICE_UNAVAILABLE, "{ready:#?}");
        assert!(app.metric("db_pool_exhausted_total").await >= 3.0);
    })
    .await;
    let list = app.get("/uploads").await.expect(StatusCode::OK);
    assert_eq!(list.as_array().unwrap().len(), 3, "{list:#}");
}
