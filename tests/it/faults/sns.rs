//! SNS is unavailable for an hour, and only its subscribers notice.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::app::{Setup, id};
use crate::support::cloud;
use crate::support::faulty_proxy::{FaultyProxy, Mode};
use crate::support::observe::{TIMEOUT, eventually};

const ROUNDS: usize = 12;

#[tokio::test]
async fn uploads_work_during_sns_outage_and_events_are_published_later() {
    let proxy = FaultyProxy::new(cloud::address());
    let app = Setup::new()
        .sns(proxy.endpoint())
        .set("BROKER_AWS_TIMEOUT_SECONDS", 0.5)
        .start()
        .await;
    proxy.set_mode(Mode::Silent);
    let mut expected = BTreeSet::new();
    for round in 0..ROUNDS {
        let path = format!("{round}.csv");
        let session = app.create(&path, json!({})).await;
        // Not through its URL, which is signed for the time of the test clock and not for S3's.
        (app.bucket.put_as(id(&session), &path, "a", "text/csv")).await;
        let upload = app.acknowledge(&session).await.expect(StatusCode::OK);
        assert_eq!(upload["status"], "Uploaded", "{upload:#}");
        let event = app.events(&upload).await.remove(0);
        assert_eq!(event["published_at"], Value::Null, "{event:#}");
        expected.insert(event["id"].as_str().expect("an id").to_owned());
        app.advance(TimeDelta::minutes(5));
    }
    eventually("readyz reports how far behind they are", async || {
        let ready = app.get("/readyz").await.expect(StatusCode::OK);
        let outbox = &ready["outbox"];
        outbox["waiting"] == ROUNDS && outbox["oldest_seconds"].as_i64() >= Some(3_600)
    })
    .await;

    proxy.set_mode(Mode::Forward(cloud::address()));
    let unsent = "SELECT count(*) FROM events WHERE published_at IS NULL";
    eventually("every event is published", async || {
        // Later than the longest back-off, also of an attempt that is still running.
        app.advance(TimeDelta::seconds(61));
        let client = app.sql().await;
        let count = client.query_one(unsent, &[]).await.expect("a count");
        count.get::<_, i64>(0) == 0
    })
    .await;
    // Delivery is at least once: messages in the silent connections may have arrived too.
    let mut received = BTreeSet::new();
    while received != expected {
        for message in app.inbox.receive_until(1, TIMEOUT).await {
            let id = message.json()["id"].as_str().expect("an id").to_owned();
            assert!(expected.contains(&id), "{message:#?}");
            received.insert(id);
        }
    }
}
