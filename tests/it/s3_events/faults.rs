//! S3, Postgres or SQS is not available: no event is lost, and none is handled twice.

use std::time::Duration;

use reqwest::StatusCode;
use serde_json::json;
use upload_broker::arrivals::Round;

use super::scene::Scene;
use crate::support::app::{App, Setup};
use crate::support::cloud;
use crate::support::database;
use crate::support::events::{self, Events};
use crate::support::gate::Gate;
use crate::support::observe::{eventually, within};

const FAILED: Round = Round {
    received: 1,
    done: 0,
    ignored: 0,
    unreadable: 0,
    early: 0,
    failed: 1,
    returned: 0,
};
const DONE: Round = Round {
    failed: 0,
    done: 1,
    ..FAILED
};

async fn event_survives_outage(mut scene: Scene, gate: Gate) {
    scene.timing.visibility_timeout = Duration::from_secs(1);
    let session = scene.sent("a.csv", json!({})).await;
    scene.send_event("ObjectCreated:Put", "a.csv").await;
    gate.close().await;
    assert_eq!(scene.round().await, FAILED);
    assert_eq!(scene.events.counts().await, (0, 1), "it comes back later");
    gate.restore();
    assert_eq!(scene.round().await, DONE);
    assert_eq!(scene.app.event_types(&session).await, ["dataset.uploaded"]);
    assert_eq!(scene.events.counts().await, (0, 0));
    scene.app.assert_no_open_transaction().await;
}

#[tokio::test]
async fn s3_event_is_handled_again_after_outage_of_s3() {
    let gate = Gate::new(cloud::address());
    let scene = Scene::silent(Setup::new().s3(gate.endpoint())).await;
    event_survives_outage(scene, gate).await;
}

#[tokio::test]
async fn s3_event_is_handled_again_after_outage_of_postgres() {
    let gate = Gate::new(database::address());
    let scene = Scene::silent(Setup::new().postgres(gate.addr())).await;
    event_survives_outage(scene, gate).await;
}

/// One of the events of a message cannot be handled yet. The whole message is delivered again, and
/// what was done stays done.
#[tokio::test]
async fn message_is_deleted_when_all_of_its_events_are_handled() {
    let mut scene = Scene::silent(Setup::new()).await;
    scene.timing.visibility_timeout = Duration::from_secs(1);
    let one = scene.sent("one.csv", json!({})).await;
    let two = scene.invisible("two.csv").await;
    let bucket = &scene.app.bucket.name;
    let mut body = events::raw("ObjectCreated:Put", bucket, "one.csv");
    let more = events::raw("ObjectCreated:Put", bucket, "two.csv");
    let records = body["Records"].as_array_mut().expect("records");
    records.push(more["Records"][0].clone());
    scene.events.send(&body.to_string()).await;
    let early = Round {
        early: 1,
        failed: 0,
        ..FAILED
    };
    assert_eq!(scene.round().await, early);
    assert_eq!(scene.app.event_types(&one).await, ["dataset.uploaded"]);
    scene.show().await;
    assert_eq!(scene.round().await, DONE);
    assert_eq!(scene.app.event_types(&one).await, ["dataset.uploaded"]);
    assert_eq!(scene.app.event_types(&two).await, ["dataset.uploaded"]);
}

/// The readable events of a message are handled. The message stays in the queue, which moves it to
/// the dead-letter queue.
#[tokio::test]
async fn unreadable_record_does_not_block_the_others_of_its_message() {
    let scene = Scene::silent(Setup::new()).await;
    let one = scene.sent("one.csv", json!({})).await;
    let two = scene.sent("two.csv", json!({})).await;
    let bucket = &scene.app.bucket.name;
    let record = |key: &str| events::raw("ObjectCreated:Put", bucket, key)["Records"][0].clone();
    let mut broken = record("broken.csv");
    broken["s3"]["object"] = json!({});
    let body = json!({"Records": [record("one.csv"), broken, record("two.csv")]});
    scene.events.send(&body.to_string()).await;
    let partly = Round {
        unreadable: 1,
        failed: 0,
        ..FAILED
    };
    assert_eq!(scene.round().await, partly);
    assert_eq!(scene.app.event_types(&one).await, ["dataset.uploaded"]);
    assert_eq!(scene.app.event_types(&two).await, ["dataset.uploaded"]);
    assert_eq!(
        scene.events.counts().await,
        (0, 1),
        "it is left to the queue"
    );
}

async fn readyz_reports(app: &App, word: &str) {
    eventually("readyz reports the queue", async || {
        let ready = app.get("/readyz").await.expect(StatusCode::OK);
        ready["s3_events"] == word
    })
    .await;
}

#[tokio::test]
async fn s3_events_are_handled_after_outage_of_sqs() {
    let gate = Gate::new(cloud::address());
    let events = Events::new().await;
    let setup = Setup::new().set("BROKER_S3_EVENTS_QUEUE_URL", &events.url);
    let app = setup.sqs(gate.endpoint()).start().await;
    events.follow(&app.bucket).await;
    readyz_reports(&app, "ok").await;
    gate.close().await;
    readyz_reports(&app, "unavailable").await;
    // Clients are not affected.
    app.upload("by its client.csv", "bytes", json!({})).await;
    let session = app.create("by its event.csv", json!({})).await;
    app.put(&session, "bytes").await.expect_ok();
    gate.restore();
    // A poll that was cut off may have received the message, which then returns after its
    // visibility timeout.
    within(Duration::from_secs(60), "it is Uploaded", async || {
        app.read(&session).await["status"] == "Uploaded"
    })
    .await;
    readyz_reports(&app, "ok").await;
    let failed = r#"sqs_call_duration_seconds_count{operation="ReceiveMessage",outcome="failed"}"#;
    assert!(app.metric(failed).await >= 1.0);
}

#[tokio::test]
async fn missing_queue_is_reported_by_readyz_and_clients_are_served() {
    let gone = format!("{}/000000000000/no-such-queue", cloud::endpoint());
    let setup = Setup::new().set("BROKER_S3_EVENTS_QUEUE_URL", gone);
    let app = setup.start().await;
    readyz_reports(&app, "unavailable").await;
    app.upload("a.csv", "bytes", json!({})).await;
    let refused =
        r#"sqs_call_duration_seconds_count{operation="ReceiveMessage",outcome="refused"}"#;
    assert!(app.metric(refused).await >= 1.0);
}
