//! Postgres away, and stops: what was done is told all the same, as far as there is room.

use std::sync::Arc;

use chrono::DateTime;
use reqwest::StatusCode;
use upload_broker::domain::audit::{Action, Actor, Deed, Entry};
use upload_broker::usecases::audit::write::write;

use super::{count, rows};
use crate::support::app::{App, Setup};
use crate::support::cloud;
use crate::support::database;
use crate::support::gate::Gate;
use crate::support::hold::Hold;
use crate::support::observe::eventually;
use crate::support::serving::Place;
use crate::support::shared;

/// Downloads ask S3 alone: they go on, and are told when Postgres is back.
#[tokio::test]
async fn what_is_done_meanwhile_is_told_later() {
    let gate = Gate::new(database::address());
    let app = Setup::new().postgres(gate.addr()).start().await;
    app.bucket.put("a.csv", "x").await;
    let download = "/datasets/a.csv/action/download";
    app.get(download).await;
    gate.cut().await;
    let mut downloads = 1;
    // For as long as the key is remembered.
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

/// An answer of Postgres may get lost when the rows are written: the same ones come again, and are
/// not doubled.
#[tokio::test]
async fn what_is_written_again_is_not_doubled() {
    let app = App::start().await;
    let entry = |n: u128| Entry {
        id: uuid::Uuid::from_u128(n),
        at: app.clock.now(),
        who: Actor::Broker.into(),
        operation: None,
        deed: Deed::to(Action::TenantCreated, n),
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

/// More than there is room for: the oldest are kept, and the gap says how many it is.
#[tokio::test]
async fn there_is_an_end_to_what_waits() {
    const ALL: i64 = 40_000;
    let gate = Gate::new(database::address());
    let app = Setup::new().postgres(gate.addr()).start().await;
    gate.cut().await;
    for n in 0..ALL {
        let deed = Deed::to(Action::TenantCreated, n);
        let who = Actor::Operator {
            tenant: "many".to_owned(),
        };
        app.broker
            .audit
            .record(app.clock.now(), who.into(), None, deed);
    }
    let waiting = i64::try_from(app.broker.audit.waiting()).expect("a number");
    assert!(waiting <= 32_768, "{waiting}");
    gate.restore();
    eventually("the gap is told", async || {
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

/// A row that the table does not take holds up no other.
#[tokio::test]
async fn a_row_that_is_refused_holds_up_no_other() {
    let app = App::start().await;
    for subject in ["good", "bad\0", "good as well"] {
        let who = Actor::Operator {
            tenant: "odd".to_owned(),
        };
        let deed = Deed::to(Action::TenantCreated, subject);
        app.broker
            .audit
            .record(DateTime::default(), who.into(), None, deed);
    }
    eventually("the others are written", async || {
        count(&app, "audit WHERE tenant = 'odd'").await == 2
    })
    .await;
    assert_eq!(app.metric("audit_lost_rows_total").await, 1.0);
}

/// What is done between the signal and the end is told, however little time is left for it.
#[tokio::test]
async fn a_stop_loses_nothing() {
    let place = Place::new().await;
    let mut hold = Hold::new(cloud::address()).await;
    let run = place.serve().set("AWS_ENDPOINT_URL_S3", hold.endpoint());
    let (mut process, caller) = place.start(run).await;
    place.bucket.put("a.csv", "x").await;
    let mut asked = Vec::new();
    for _ in 0..20 {
        let caller = caller.clone();
        asked.push(tokio::spawn(async move {
            caller.get("/datasets/a.csv/action/download").await
        }));
    }
    hold.someone_waits().await;
    process.signal("TERM");
    process.says("SIGTERM: stopping").await;
    // Nobody is let in any more: the answers are the last that this process does.
    let address = caller.url.strip_prefix("http://").expect("a URL");
    while tokio::net::TcpStream::connect(address).await.is_ok() {}
    hold.release();
    let mut answered = 0;
    for download in asked {
        let reply = download.await.expect("a caller");
        answered += i64::from(reply.status == StatusCode::FOUND);
    }
    process.ended().await.ok();
    assert!(answered > 0);
    let client = database::connect(place.database.url()).await;
    let sql = "SELECT count(*) FROM audit WHERE action = 'dataset.downloaded'";
    let told: i64 = client.query_one(sql, &[]).await.expect("rows").get(0);
    assert_eq!(told, answered);
}

/// Without Postgres the stop waits its time out, and says what it could not write.
#[tokio::test]
async fn a_stop_without_postgres_says_what_is_lost() {
    let place = Place::new().await;
    let gate = Gate::new(database::address());
    let run = place.serve();
    let run = run.set("DATABASE_URL", place.database.url_through(gate.addr()));
    let (process, caller) = place.start(run.set("BROKER_SHUTDOWN_SECONDS", 2)).await;
    place.bucket.put("a.csv", "x").await;
    caller.get("/datasets").await.expect(StatusCode::OK);
    gate.cut().await;
    let download = caller.get("/datasets/a.csv/action/download").await;
    assert_eq!(download.status, StatusCode::FOUND, "{download:#?}");
    let ended = process.stop("TERM").await;
    ended.failed(
        1,
        &["audit: 1 rows are lost", "dropped tasks that did not stop"],
    );
}
