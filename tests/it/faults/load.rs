//! More is asked than the broker can hold: it says so at once, and goes on with what it has.

use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::support::app::{App, Setup};
use crate::support::observe::eventually;
use crate::support::raw;
use crate::support::reply::Reply;

/// Told to come again, by the right name.
#[track_caller]
fn overloaded(reply: Reply) {
    let wait = reply.header("retry-after").map(str::parse::<u32>);
    assert!(matches!(wait, Some(Ok(1..=60))), "{reply:#?}");
    reply.expect_problem(503, "overloaded");
}

/// Creates `count` sessions that wait for a lock, runs `meanwhile`, and lets them go on.
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
            // The app's loops need a connection now and then, too; and a lock is waited for only
            // so long.
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
        overloaded(app.get("/uploads").await);
        overloaded(app.get("/docs/").await);
        // Whoever it is: keys are not looked at.
        let stranger = app
            .http
            .request(Method::GET, format!("{}/uploads", app.url));
        overloaded(Reply::of(stranger).await);
        // Nor is the body waited for: this one never comes.
        let request = raw::request(&app, "POST /uploads", "content-length: 50\r\n", b"");
        raw::send(&app, request)
            .await
            .expect_problem(503, "overloaded");
        // Those who watch us are answered.
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
        .in_between(
            async {
                let acknowledge = app.acknowledge(&session);
                let waits = eventually("it waits", async || app.waiting_for_locks().await == 1);
                tokio::select! {
                    reply = acknowledge => panic!("answered: {reply:#?}"),
                    () = waits => {}
                }
                // Its client is gone now, and it is still at work.
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
    overloaded(reply);
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
        overloaded(app.get("/uploads").await);
        overloaded(app.post("/uploads", json!({"path": "b"})).await);
        let ready = app.get("/readyz").await;
        assert_eq!(ready.status, StatusCode::SERVICE_UNAVAILABLE, "{ready:#?}");
        assert!(app.metric("db_pool_exhausted_total").await >= 3.0);
    })
    .await;
    let list = app.get("/uploads").await.expect(StatusCode::OK);
    assert_eq!(list.as_array().unwrap().len(), 3, "{list:#}");
}
