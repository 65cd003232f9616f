//! A connection pooler between the broker and Postgres: in session mode it works like Postgres, and
//! in transaction mode it is rejected before it causes damage.

use reqwest::StatusCode;
use serde_json::json;

use crate::doctor::scene::{Report, doctor};
use crate::support::app::Setup;
use crate::support::database;
use crate::support::faulty_proxy::{FaultyProxy, Mode};
use crate::support::pgbouncer::PgBouncer;
use crate::support::serving::Place;

#[tokio::test]
async fn broker_works_with_pooler_in_session_mode() {
    let pooler = PgBouncer::start("session").await;
    let app = Setup::new().postgres(pooler.address()).start().await;
    let ready = app.get("/readyz").await.expect(StatusCode::OK);
    assert_eq!(ready["checks"]["postgres"], "ok", "{ready:#}");
    // All uploads run at once, on all connections of the broker.
    let uploads = (0..40).map(|n| {
        let app = &app;
        async move { app.upload(&format!("/{n}.csv"), "x", json!({})).await }
    });
    for upload in futures::future::join_all(uploads).await {
        assert_eq!(upload["status"], "Uploaded", "{upload:#}");
    }
}

#[tokio::test]
async fn pooler_in_transaction_mode_is_rejected_at_start() {
    let pooler = PgBouncer::start("transaction").await;
    let place = Place::new().await;
    let url = place.database.url_through(pooler.address());
    for command in ["serve", "migrate"] {
        let ended = place
            .run(&[command])
            .set("DATABASE_URL", &url)
            .finish()
            .await;
        ended.expect_failure(1, &["pooler", "session mode"]);
    }
    let report = Report::of(doctor(&place).set("DATABASE_URL", &url)).await;
    report
        .code(1)
        .says("postgres", "failed", "shares one Postgres session")
        .advises("postgres", "session mode");
}

/// Postgres was not available when the broker started and is behind a pooler when it returns.
#[tokio::test]
async fn broker_is_not_ready_while_pooler_is_in_transaction_mode() {
    let pooler = PgBouncer::start("transaction").await;
    let proxy = FaultyProxy::new(database::address());
    let app = Setup::new().postgres(proxy.addr()).start().await;
    proxy.set_mode(Mode::Forward(pooler.address()));
    let reply = app.get("/readyz").await;
    let ready = reply.expect(StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(ready["checks"]["postgres"], "unavailable", "{ready:#}");
    proxy.set_mode(Mode::Forward(database::address()));
    crate::support::observe::eventually("it is ready", async || {
        app.get("/readyz").await.status == StatusCode::OK
    })
    .await;
}
