//! Rows survive an outage of Postgres and a stop of the process, as far as the buffer has room.

use std::sync::Arc;

use chrono::DateTime;
use reqwest::StatusCode;
use upload_broker::domain::audit::{Action, ActionDetails, Actor, Entry};
use upload_broker::usecases::audit::write::write;

use super::{count, rows};
use crate::support::app::{App, Setup};
use crate::support::blocked_gate::BlockedGate;
use crate::support::cloud;
use crate::support::database;
use crate::support::gate::Gate;
use crate::support::observe::eventually;
use crate::support::serving::Place;
use crate::support::shared;

/// Downloads need S3 only: they work during the outage and are recorded when Postgres is back.
#[tokio::test]
async fn actions_during_postgres_outage_are_recorded_afterwards() {
    let gate = Gate::new(database::address());
    let app = Setup::new().postgres(gate.addr()).start().await;
    app.bucket.put("a.csv", "x").await;
    let download = "/datasets/a.csv/action/download";
    app.get(download).await;
    gate.close().await;
    let mut downloads = 1;
    // Until the cached key expires.
    while app.get(download).await.status == StatusCode::FOUND {
        downloads += 1;
        if downloads == 20 {
            break;
        }
    }
    assert!(downloads > 1, "nothing was done meanwhile");
    gate.restore();
    rows(&app, downloads).await;
}

/// The answer of Postgres to a write may get lost. The same rows are written again then, and must
/// not be doubled.
#[tokio::test]
async fn rows_that_are_written_twice_are_stored_once() {
    let app = App::start().await;
    let entry = |n: u128| Entry {
        id: uuid::Uuid::from_u128(n),
        at: app.clock.now(),
        origin: Actor::Broker.into(),
        operation: None,
        details: ActionDetails::on_subject(Action::TenantCreated, n),
        count: 1,
    };
    for (rows, again) in [
        (vec![entry(1), entry(2)], false),
        (vec![entry(1), entry(2), entry(3)], true),
    ] {
        let broker = Arc::clone(&app.broker);
        let written = shared().spawn(async move { write(&broker, &rows, again).await });
        written
            .await
            .expect("a task")
            .expect("the rows are written");
    }
    assert_eq!(count(&app, "audit WHERE actor = 'broker'").await, 3);
}

/// When the buffer is full, the oldest rows are kept, and one row says how many were lost.
#[tokio::test]
async fn full_buffer_keeps_oldest_rows_and_records_number_of_lost_rows() {
    const ALL: i64 = 40_000;
    let gate = Gate::new(database::address());
    let app = Setup::new().postgres(gate.addr()).start().await;
    gate.close().await;
    for n in 0..ALL {
        let details = ActionDetails::on_subject(Action::TenantCreated, n);
        let origin = Actor::Operator {
            tenant: "many".to_owned(),
        };
        app.broker
            .audit
            .record(app.clock.now(), origin.into(), None, details);
    }
    let waiting = i64::try_from(app.broker.audit.waiting()).expect("a number");
    assert!(waiting <= 32_768, "{waiting}");
    gate.restore();
    eventually("the gap is recorded", async || {
        count(&app, "audit WHERE action = 'audit.lost'").await == 1
    })
    .await;
    let lost = app.sql().await;
    let lost = lost.query_one(
        "SELECT count, actor FROM audit WHERE action = 'audit.lost'",
        &[],
    );
    let lost = lost.await.expect("the gap");
    let (gap, actor): (i32, String) = (lost.get(0), lost.get(1));
    assert_eq!(actor, "broker");
    let written = count(&app, "audit WHERE tenant = 'many'").await;
    assert_eq!(written + i64::from(gap), ALL, "{written} rows, {gap} lost");
    assert!(gap > 1_000, "{gap}");
    let oldest = format!("audit WHERE tenant = 'many' AND subject::bigint < {written}");
    assert_eq!(count(&app, &oldest).await, written, "the oldest are kept");
    assert_eq!(app.metric("audit_lost_rows_total").await, f64::from(gap));
    assert_eq!(app.metric("audit_waiting_rows").await, 0.0);
}

/// A row that the table rejects does not block the others.
#[tokio::test]
async fn rejected_row_does_not_block_other_rows() {
    let app = App::start().await;
    for subject in ["good", "bad\0", "good as well"] {
        let origin = Actor::Operator {
            tenant: "odd".to_owned(),
        };
        let details = ActionDetails::on_subject(Action::TenantCreated, subject);
        app.broker
            .audit
            .record(DateTime::default(), origin.into(), None, details);
    }
    eventually("the others are written", async || {
        count(&app, "audit WHERE tenant = 'odd'").await == 2
    })
    .await;
    assert_eq!(app.metric("audit_lost_rows_total").await, 1.0);
}

/// Actions between the signal and the end of the process are recorded, however little time is left.
#[tokio::test]
async fn graceful_stop_writes_rows_of_last_requests() {
    let place = Place::new().await;
    let mut blocked_s3 = BlockedGate::new(cloud::address()).await;
    let run = place
        .serve()
        .set("AWS_ENDPOINT_URL_S3", blocked_s3.endpoint());
    let (mut process, caller) = place.start(run).await;
    place.bucket.put("a.csv", "x").await;
    let mut asked = Vec::new();
    for _ in 0..20 {
        let caller = caller.clone();
        asked.push(tokio::spawn(async move {
            caller.get("/datasets/a.csv/action/download").await
        }));
    }
    blocked_s3.request_waits().await;
    process.signal("TERM");
    process.wait_for_log("SIGTERM: stopping").await;
    // The listener is closed: these answers are the last work of the process.
    let address = caller.url.strip_prefix("http://").expect("a URL");
    while tokio::net::TcpStream::connect(address).await.is_ok() {}
    blocked_s3.release();
    let mut answered = 0;
    for download in asked {
        let reply = download.await.expect("a caller");
        answered += i64::from(reply.status == StatusCode::FOUND);
    }
    process.wait().await.ok();
    assert!(answered > 0);
    let client = database::connect(place.database.url()).await;
    let sql = "SELECT count(*) FROM audit WHERE action = 'dataset.downloaded'";
    let recorded: i64 = client.query_one(sql, &[]).await.expect("rows").get(0);
    assert_eq!(recorded, answered);
}

/// Without Postgres the stop waits for its deadline and then reports how many rows it could not
/// write.
#[tokio::test]
async fn stop_during_postgres_outage_reports_number_of_lost_rows() {
    let place = Place::new().await;
    let gate = Gate::new(database::address());
    let run = place.serve();
    let run = run.set("DATABASE_URL", place.database.url_through(gate.addr()));
    let (process, caller) = place.start(run.set("BROKER_SHUTDOWN_SECONDS", 2)).await;
    place.bucket.put("a.csv", "x").await;
    caller.get("/datasets").await.expect(StatusCode::OK);
    gate.close().await;
    let download = caller.get("/datasets/a.csv/action/download").await;
    assert_eq!(download.status, StatusCode::FOUND, "{download:#?}");
    let ended = process.stop("TERM").await;
    ended.expect_failure(
        1,
        &["audit: 1 rows are lost", "dropped tasks that did not stop"],
    );
}
