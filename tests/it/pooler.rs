//! A pooler between the broker and Postgres: one that leaves sessions whole is like Postgres, and
//! one that lends them is refused before it does harm.

use reqwest::StatusCode;
use serde_json::json;

use crate::doctor::scene::{Report, doctor};
use crate::support::app::Setup;
use crate::support::database;
use crate::support::door::{Door, Way};
use crate::support::pgbouncer::PgBouncer;
use crate::support::serving::Place;

#[tokio::test]
async fn in_session_mode_it_serves() {
    let pooler = PgBouncer::start("session").await;
    let app = Setup::new().postgres(pooler.address()).start().await;
    let ready = app.get("/readyz").await.expect(StatusCode::OK);
    assert_eq!(ready["checks"]["postgres"], "ok", "{ready:#}");
    // All at once, on all of its connections.
    let uploads = (0..40).map(|n| {
        let app = &app;
        async move { app.upload(&format!("/{n}.csv"), "x", json!({})).await }
    });
    for upload in futures::future::join_all(uploads).await {
        assert_eq!(upload["status"], "Uploaded", "{upload:#}");
    }
}

#[tokio::test]
async fn in_transaction_mode_it_is_refused_at_once() {
    let pooler = PgBouncer::start("transaction").await;
    let place = Place::new().await;
    let url = place.database.url_through(pooler.address());
    for command in ["serve", "migrate"] {
        let ended = place.run(&[command]).set("DATABASE_URL", &url).end().await;
        ended.failed(1, &["pooler", "session mode"]);
    }
    let report = Report::of(doctor(&place).set("DATABASE_URL", &url)).await;
    report
        .code(1)
        .says("postgres", "failed", "shares one Postgres session")
        .advises("postgres", "session mode");
}

/// Postgres was away when the broker started, and came back behind a pooler.
#[tokio::test]
async fn a_broker_that_finds_it_later_is_not_ready() {
    let pooler = PgBouncer::start("transaction").await;
    let door = Door::to(database::address());
    let app = Setup::new().postgres(door.addr()).start().await;
    door.leads(Way::To(pooler.address()));
    let reply = app.get("/readyz").await;
    let ready = reply.expect(StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(ready["checks"]["postgres"], "unavailable", "{ready:#}");
    door.leads(Way::To(database::address()));
    crate::support::observe::eventually("it is ready", async || {
        app.get("/readyz").await.status == StatusCode::OK
    })
    .await;
}
