//! A single upload that no client acknowledges: the janitor checks soon, and then ever more rarely,
//! whether its object has arrived.

use chrono::TimeDelta;
use reqwest::StatusCode;
use serde_json::{Value, json};
use upload_broker::janitor::Round;

use super::client::{CHECK_SECONDS, Uppy, field, send_form, setup, upload_at};
use crate::support::app::{App, Setup};
use crate::support::cloud;
use crate::support::gate::Gate;
use crate::support::observe::eventually;
use crate::support::serving::Place;

fn arrived(count: u64) -> Round {
    Round {
        arrived: count,
        ..Round::default()
    }
}

async fn checks(app: &App, outcome: &str) -> f64 {
    let name = format!(r#"janitor_arrival_checks_total{{outcome="{outcome}"}}"#);
    app.metric(&name).await
}

#[tokio::test]
async fn arrived_object_is_proven_by_the_first_check() {
    let app = setup().start().await;
    let form = Uppy::v5(&app)
        .params("filename=a.txt&type=text/plain")
        .await;
    send_form(&app.http, &form, b"hello").await.expect_ok();
    app.advance(TimeDelta::seconds(CHECK_SECONDS - 1));
    assert_eq!(app.janitor().await, Round::default(), "too early");
    app.advance(TimeDelta::seconds(2));
    assert_eq!(app.janitor().await, arrived(1));
    assert_eq!(app.janitor().await, Round::default(), "once");
    let upload = upload_at(&app, field(&form, "key")).await;
    assert_eq!(upload["status"], "Uploaded", "{upload:#}");
    assert_eq!(upload["verification"]["by"], "janitor", "{upload:#}");
    assert_eq!(app.event_types(&upload).await, ["dataset.uploaded"]);
    assert_eq!(checks(&app, "uploaded").await, 1.0);
}

#[tokio::test]
async fn checks_become_rarer_until_the_deadline() {
    let app = Setup::new()
        .set("BROKER_UPPY_LOOK_SECONDS", 100)
        .set("BROKER_URL_SECONDS", 3_600)
        .start()
        .await;
    let form = Uppy::v5(&app).params("filename=a.txt").await;
    let mut times = Vec::new();
    let mut before = 0.0;
    // To the end of the grace.
    for second in (0..4_500).step_by(10) {
        app.janitor().await;
        let now = checks(&app, "left").await;
        if now > before {
            times.push(second);
        }
        before = now;
        app.advance(TimeDelta::seconds(10));
    }
    // Each pause is as long as the upload is old, and at most 15 minutes; a round comes every 10 s.
    assert_eq!(times, [110, 230, 470, 950, 1_860, 2_770, 3_680]);
    app.advance(TimeDelta::seconds(60));
    assert_eq!(app.janitor().await.expired, 1);
    let upload = upload_at(&app, field(&form, "key")).await;
    assert_eq!(upload["status"], "Expired", "{upload:#}");
    app.advance(TimeDelta::hours(2));
    app.janitor().await;
    assert_eq!(checks(&app, "left").await, before, "no more checks");
}

#[tokio::test]
async fn only_unacknowledged_singles_are_checked() {
    let app = setup().start().await;
    let uppy = Uppy::v5(&app);
    uppy.begin("a.bin").await;
    app.create("/other.txt", json!({})).await;
    let cancelled = uppy.params("filename=b.txt").await;
    let cancel = format!("/uploads/{}/cancel", super::client::upload_of(&cancelled));
    app.post_empty(&cancel).await.expect(StatusCode::OK);
    app.advance(TimeDelta::seconds(CHECK_SECONDS + 1));
    assert_eq!(app.janitor().await, Round::default());
    assert_eq!(checks(&app, "left").await, 0.0);
}

/// Without the setting, the deadline decides.
#[tokio::test]
async fn checks_can_be_switched_off() {
    let app = Setup::new()
        .set("BROKER_UPPY_LOOK_SECONDS", 0)
        .start()
        .await;
    let form = Uppy::v5(&app).params("filename=a.txt").await;
    send_form(&app.http, &form, b"hello").await.expect_ok();
    app.advance(TimeDelta::seconds(900));
    assert_eq!(app.janitor().await, Round::default());
    app.advance(TimeDelta::seconds(901));
    assert_eq!(app.janitor().await.uploaded, 1);
}

#[tokio::test]
async fn failed_check_is_repeated_after_its_lease() {
    let gate = Gate::new(cloud::address());
    let app = setup().s3(gate.endpoint()).start().await;
    let form = Uppy::v5(&app).params("filename=a.txt").await;
    send_form(&app.http, &form, b"hello").await.expect_ok();
    app.advance(TimeDelta::seconds(CHECK_SECONDS + 1));
    gate.close().await;
    assert_eq!(app.janitor().await.failed, 1);
    gate.restore();
    assert_eq!(app.janitor().await, Round::default(), "in its back-off");
    app.advance(TimeDelta::seconds(31));
    assert_eq!(app.janitor().await, arrived(1));
}

#[tokio::test]
async fn many_are_checked_in_one_round_and_each_once() {
    let app = setup().start().await;
    let uppy = Uppy::v5(&app);
    for at in 0..120 {
        let form = uppy.params(&format!("filename={at}.txt")).await;
        if at % 2 == 0 {
            send_form(&app.http, &form, b"x").await.expect_ok();
        }
    }
    app.advance(TimeDelta::seconds(CHECK_SECONDS + 1));
    let (one, other) = tokio::join!(app.janitor(), app.janitor());
    assert_eq!(one.arrived + other.arrived, 60, "{one:?} {other:?}");
    assert_eq!(checks(&app, "left").await, 60.0);
}

#[tokio::test]
async fn dry_run_reports_and_changes_nothing() {
    let place = Place::new().await;
    let run = place.serve().set("BROKER_JANITOR_PERIOD_SECONDS", 86_400);
    let (process, caller) = place.start(run.set("BROKER_UPPY_LOOK_SECONDS", 1)).await;
    let form = caller
        .get("/s3/params?filename=a.txt")
        .await
        .expect(StatusCode::OK);
    process.stop("TERM").await.ok();
    send_form(&caller.http, &form, b"hello").await.expect_ok();
    let only = ["janitor", "--only", "arrivals", "--dry-run"];
    let finds = async |arguments: &[&str], is_dry: bool| {
        let ended = place.run(arguments).finish().await.ok();
        let lines = ended.out.lines().map(serde_json::from_str::<Value>);
        let mut lines = lines.map(|line| line.expect("a line of JSON"));
        lines.any(|line| {
            line["what"] == "awaited-upload"
                && line["outcome"] == "uploaded"
                && line["dry_run"] == is_dry
        })
    };
    eventually("the check is due", async || finds(&only, true).await).await;
    assert!(finds(&only[..3], false).await, "it was not changed before");
    assert!(!finds(&only[..3], false).await, "it is done");
}

/// The loop of the broker itself, which runs more often than the rounds of the janitor.
#[tokio::test]
async fn running_broker_checks_soon() {
    let place = Place::new().await;
    let run = place.serve().set("BROKER_JANITOR_PERIOD_SECONDS", 86_400);
    let (process, caller) = place.start(run.set("BROKER_UPPY_LOOK_SECONDS", 1)).await;
    let form = caller
        .get("/s3/params?filename=a.txt")
        .await
        .expect(StatusCode::OK);
    send_form(&caller.http, &form, b"hello").await.expect_ok();
    let path = format!("/uploads/{}", super::client::upload_of(&form));
    eventually("the upload is proven", async || {
        caller.get(&path).await.json()["status"] == "Uploaded"
    })
    .await;
    process.stop("TERM").await.ok();
}
