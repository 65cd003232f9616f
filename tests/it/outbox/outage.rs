//! SNS is not available or no topic is configured: events wait in their rows, are counted, and are
//! not lost.

use chrono::TimeDelta;
use reqwest::StatusCode;
use serde_json::{Value, json};

use super::{WAITING, number, write_events};
use crate::support::app::{App, Setup};
use crate::support::cloud;
use crate::support::gate::Gate;
use crate::support::observe::{TIMEOUT, eventually};

/// The outbox section of `/readyz` as soon as it says that `count` events wait.
async fn waiting(app: &App, count: i64) -> Value {
    let mut seen = Value::Null;
    eventually("readyz counts the events", async || {
        let ready = app.get("/readyz").await.expect(StatusCode::OK);
        seen = ready["outbox"].clone();
        seen["waiting"] == count
    })
    .await;
    seen
}

#[tokio::test]
async fn events_are_kept_during_sns_outage_and_sent_afterwards() {
    let gate = Gate::new(cloud::address());
    let app = Setup::new().sns(gate.endpoint()).start().await;
    gate.close().await;
    let uploaded = app.upload("a.csv", "a", json!({})).await;
    let failed = "SELECT count(*) FROM events WHERE attempts > 0 AND last_error IS NOT NULL \
                  AND published_at IS NULL";
    eventually("a first attempt has failed", async || {
        number(&app, failed).await == 1
    })
    .await;
    let event = app.events(&uploaded).await.remove(0);
    assert_eq!(event["published_at"], Value::Null, "{event:#}");
    waiting(&app, 1).await;
    eventually("the gauge shows it", async || {
        app.metric("outbox_depth_events").await == 1.0
    })
    .await;
    let entries = app.metric(r#"sns_publish_entries_total{outcome="failed"}"#);
    assert!(entries.await >= 1.0);
    assert_eq!(app.inbox.waiting().await, 0);

    gate.restore();
    // Longer than the longest back-off.
    app.advance(TimeDelta::seconds(61));
    let message = app.inbox.receive_until(1, TIMEOUT).await.remove(0);
    assert_eq!(message.json()["id"], event["id"]);
    eventually("it is marked", async || {
        app.events(&uploaded).await[0]["published_at"].is_string()
    })
    .await;
    waiting(&app, 0).await;
    assert_eq!(number(&app, WAITING).await, 0);
    let left = "SELECT count(*) FROM events WHERE last_error IS NOT NULL";
    assert_eq!(number(&app, left).await, 0);
}

#[tokio::test]
async fn events_are_kept_and_counted_without_a_topic() {
    let app = Setup::new().without_topic().start().await;
    let uploaded = app.upload("a.csv", "a", json!({})).await;
    app.advance(TimeDelta::seconds(40));
    app.upload("b.csv", "b", json!({})).await;
    app.advance(TimeDelta::seconds(60));
    let mut oldest = Value::Null;
    eventually("readyz shows the age of the oldest", async || {
        oldest = waiting(&app, 2).await["oldest_seconds"].clone();
        oldest == 100
    })
    .await;
    eventually("the gauges show them", async || {
        app.metric("outbox_depth_events").await == 2.0
            && app.metric("outbox_oldest_age_seconds").await >= 100.0
    })
    .await;
    let event = app.events(&uploaded).await.remove(0);
    assert_eq!(event["published_at"], Value::Null, "{event:#}");
    assert_eq!(number(&app, WAITING).await, 2);
}

#[tokio::test]
async fn events_of_one_upload_are_sent_in_order() {
    let gate = Gate::new(cloud::address());
    let app = Setup::new().sns(gate.endpoint()).start().await;
    gate.close().await;
    write_events(&app, 1, 0).await;
    // The later events fall due first, as they do after failures.
    let more = "INSERT INTO events (id, upload_id, sequence, tenant, kind, at, data, notify, due_at) \
         SELECT gen_random_uuid(), upload_id, n, tenant, kind, at, data, true, \
         timestamptz '2020-01-01' - n * interval '1 day' FROM events, generate_series(2, 5) n";
    app.sql().await.execute(more, &[]).await.expect("rows");
    gate.restore();
    let mut sequences = Vec::new();
    while sequences.len() < 5 {
        for message in app.inbox.receive_until(1, TIMEOUT).await {
            sequences.push(message.json()["sequence"].as_str().unwrap().to_owned());
        }
        app.advance(TimeDelta::seconds(61));
    }
    assert_eq!(sequences, ["1", "2", "3", "4", "5"]);
}
