//! `BROKER_NOTIFY`: which event types are published to SNS.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use reqwest::StatusCode;
use serde_json::{Value, json};
use upload_broker::config::{EVENT_TYPES, Settings};
use upload_broker::domain::event::EventType;

use crate::janitor::sweep_in;
use crate::support::app::{App, Setup, id};
use crate::support::inbox::Message;
use crate::support::observe::{TIMEOUT, eventually};
use crate::support::process::Run;

/// The value of `BROKER_NOTIFY` with which every event is published.
pub fn every_type() -> String {
    EVENT_TYPES.join(",")
}

async fn number(app: &App, sql: &str) -> i64 {
    let client = app.sql().await;
    client.query_one(sql, &[]).await.expect("a number").get(0)
}

/// Lets every type of event happen at least once.
pub async fn make_every_event(app: &App) {
    let checksum = json!({"algorithm": "CRC32", "value": "tsOTXA=="});
    let declared = json!({
        "name": "A", "comments": "c", "metadata": {"k": "v"}, "size": 14, "checksum": checksum,
    });
    let first = app.upload("/a.csv", "id,name\n1,Ada\n", declared).await;
    app.derive(&first, "/derived/a.csv", "x").await;
    let second = json!({"overwrite": true});
    let second = app.upload("/a.csv", "other", second).await;
    let path = format!("/uploads/{}", id(&second));
    app.delete(&path).await.expect_ok();
    let failed = app.create("/failed.csv", json!({"size": 1})).await;
    app.bucket
        .put_as(id(&failed), "failed.csv", "too long", "text/csv")
        .await;
    app.acknowledge(&failed)
        .await
        .expect_problem(422, "object-mismatch");
    let cancelled = app.create("/cancelled.csv", json!({})).await;
    let path = format!("/uploads/{}/cancel", id(&cancelled));
    app.post_empty(&path).await.expect(StatusCode::OK);
    let drifted = app.upload("/drifted.csv", "bytes", json!({})).await;
    app.bucket.put("drifted.csv", "by another program").await;
    sweep_in(app, &app.bucket.name).await;
    app.bucket
        .put_as(id(&drifted), "drifted.csv", "bytes", "text/csv")
        .await;
    sweep_in(app, &app.bucket.name).await;
    for reported in ["Processed", "Error"] {
        let processed = app
            .upload(&format!("/{reported}.csv"), "x", json!({}))
            .await;
        let path = format!("/uploads/{}/processing", id(&processed));
        let body = json!({"status": reported, "message": "m"});
        app.post(&path, body).await.expect(StatusCode::OK);
    }
    app.create("/expired.csv", json!({})).await;
    app.advance(TimeDelta::hours(1));
    app.janitor().await;
    let kinds = "SELECT count(DISTINCT kind) FROM events";
    let kinds = usize::try_from(number(app, kinds).await).expect("a number");
    assert_eq!(kinds, EVENT_TYPES.len(), "not every type has happened");
}

/// Receives the notifications of all events.
pub async fn receive_all(app: &App) -> Vec<Message> {
    let events = number(app, "SELECT count(*) FROM events").await;
    let events = usize::try_from(events).expect("a number");
    app.inbox.receive_until(events, TIMEOUT).await
}

/// How many events of each type are to be published, or were.
async fn notified(app: &App) -> BTreeMap<String, i64> {
    let sql = "SELECT kind, count(*) FROM events WHERE notify GROUP BY kind";
    let rows = app.sql().await.query(sql, &[]).await.expect("rows");
    let counts = rows.iter().map(|row| (row.get(0), row.get(1)));
    counts.collect()
}

#[test]
fn settings_know_exactly_the_event_types() {
    assert_eq!(EVENT_TYPES, EventType::ALL.map(EventType::as_str));
}

#[test]
fn unknown_event_type_is_rejected_with_the_known_ones() {
    let load = |types: &str| {
        let all = BTreeMap::from([
            ("DATABASE_URL", "postgres://db/broker"),
            ("BROKER_S3_BUCKET", "datasets"),
            ("BROKER_NOTIFY", types),
        ]);
        Settings::load(|name| all.get(name).map(|text| (*text).to_owned()))
    };
    for bad in [
        "all",
        "dataset.uploaded,",
        "uploaded",
        "dataset.uploaded dataset.deleted",
    ] {
        let faults = load(bad).expect_err(bad);
        assert_eq!(faults.len(), 1, "{faults:?}");
        let fault = faults[0].to_string();
        assert!(fault.starts_with("BROKER_NOTIFY="), "{fault}");
        for known in EVENT_TYPES {
            assert!(fault.contains(known), "{known} in {fault}");
        }
    }
    let settings = load("dataset.deleted, dataset.uploaded,dataset.deleted").expect("settings");
    assert_eq!(
        settings.notify.types,
        ["dataset.uploaded", "dataset.deleted"]
    );
    assert_eq!(
        load("").expect("settings").notify.types,
        ["dataset.uploaded"]
    );
}

#[tokio::test]
async fn every_type_that_is_named_is_published_in_the_order_of_its_upload() {
    let setup = Setup::new().set("BROKER_NOTIFY", every_type());
    let app = setup.fifo().start().await;
    make_every_event(&app).await;
    let messages = receive_all(&app).await;
    let mut last: BTreeMap<String, u32> = BTreeMap::new();
    for message in &messages {
        let event = message.json();
        assert_eq!(event["type"], message.attributes["type"], "{event:#}");
        let upload = event["data"]["upload_id"].as_str().expect("an id");
        let sequence = event["sequence"].as_str().expect("a number");
        let sequence: u32 = sequence.parse().expect("a number");
        let before = last.insert(upload.to_owned(), sequence).unwrap_or_default();
        assert_eq!(sequence, before + 1, "{event:#}");
    }
    eventually("nothing waits", async || {
        app.metric("outbox_depth_events").await == 0.0
    })
    .await;
    let proofs = app
        .metric("upload_uploaded_to_notified_seconds_count")
        .await;
    assert_eq!(proofs, notified(&app).await["dataset.uploaded"] as f64);
}

/// Two brokers in one process with different settings: the value belongs to the broker.
#[tokio::test]
async fn each_broker_publishes_the_types_of_its_own_settings() {
    let default = App::start().await;
    let deletes = Setup::new()
        .set("BROKER_NOTIFY", "dataset.deleted,upload.cancelled")
        .start()
        .await;
    for app in [&default, &deletes] {
        make_every_event(app).await;
    }
    let published = notified(&default).await;
    assert_eq!(published.keys().collect::<Vec<_>>(), ["dataset.uploaded"]);
    let published = notified(&deletes).await;
    let expected = [
        ("dataset.deleted".to_owned(), 1),
        ("upload.cancelled".to_owned(), 1),
    ];
    assert_eq!(published, BTreeMap::from(expected));
    let messages = deletes.inbox.receive_until(2, TIMEOUT).await;
    let mut kinds: Vec<&str> = (messages.iter())
        .map(|message| &*message.attributes["type"])
        .collect();
    kinds.sort_unstable();
    assert_eq!(kinds, ["dataset.deleted", "upload.cancelled"]);
    // The history has all of them, and says which were published.
    let published = "SELECT count(*) FROM events WHERE published_at IS NOT NULL";
    eventually("both are published", async || {
        number(&deletes, published).await == 2
    })
    .await;
    let deleted = deletes.get("/uploads?path=/a.csv&status=Deleted").await;
    let history = deletes.events(&deleted.json()[0]).await;
    let is_published = |event: &Value| !event["published_at"].is_null();
    let published: Vec<bool> = history.iter().map(is_published).collect();
    assert_eq!(published, [false, false, true], "{history:#?}");
}

#[tokio::test]
async fn replay_repeats_events_of_every_published_type() {
    let app = Setup::new()
        .set("BROKER_NOTIFY", "dataset.uploaded,dataset.deleted")
        .start()
        .await;
    let upload = app.upload("/a.csv", "a", json!({})).await;
    let path = format!("/uploads/{}", id(&upload));
    app.delete(&path).await.expect_ok();
    let first = app.inbox.receive_until(2, TIMEOUT).await;
    let published = "SELECT count(*) FROM events WHERE published_at IS NOT NULL";
    eventually("both are published", async || {
        number(&app, published).await == 2
    })
    .await;
    let replay = |kind: &'static str| {
        let args = [
            "events", "replay", "--since", "1h", "--json", "--type", kind,
        ];
        Run::new(&args)
            .set("DATABASE_URL", app.database.url())
            .finish()
    };
    let none = replay("dataset.deleting").await.ok();
    assert_eq!(none.json()["events"], 0, "it was not published: {none:#?}");
    let again = replay("dataset.deleted").await.ok();
    assert_eq!(again.json()["events"], 1, "{again:#?}");
    app.advance(TimeDelta::seconds(60));
    let again = app.inbox.receive_until(1, TIMEOUT).await.remove(0);
    assert_eq!(again.attributes["type"], "dataset.deleted");
    assert!(
        first.iter().any(|message| message.body == again.body),
        "{again:?}"
    );
    let unknown = replay("dataset.gone").await;
    unknown.expect_failure(2, &["unknown event type", "dataset.superseded"]);
}
