//! An endpoint that is down holds up no other, and gets everything when it returns.

use chrono::TimeDelta;
use serde_json::json;

use super::{add, assert_in_order, cancelled_upload, number, sent, setup, shown, waiting};
use crate::support::app::{App, id};
use crate::support::gate::Gate;
use crate::support::observe::eventually;
use crate::support::receiver::{Answer, Delivery, Receiver};

/// Uploads and deletes a dataset: three events.
async fn three_events(app: &App, path: &str) {
    let upload = app.upload(path, "a", json!({})).await;
    let path = format!("/uploads/{}", id(&upload));
    app.delete(&path).await.expect_ok();
}

fn ids(all: &[Delivery]) -> Vec<String> {
    let mut ids: Vec<_> = (all.iter())
        .map(|one| one.header("webhook-id").to_owned())
        .collect();
    ids.sort();
    ids
}

/// The connections of one endpoint are refused for a day of the clock.
#[tokio::test]
async fn endpoint_that_was_down_for_a_day_gets_everything_in_order_and_delays_no_other() {
    let (up, down) = (Receiver::new(), Receiver::new());
    let gate = Gate::new(down.address());
    gate.close().await;
    let app = setup().start().await;
    let broken = add(&app, &gate.endpoint(), &[]).await;
    add(&app, &up.url(), &[]).await;
    for n in 1..=3 {
        three_events(&app, &format!("/{n}.csv")).await;
    }
    for n in 1..=4 {
        cancelled_upload(&app, &format!("/cancelled/{n}.csv")).await;
        // The other endpoint gets the events at once, long before the first one returns.
        up.wait_for(9 + n).await;
        let before = sent(&app, "unreachable").await;
        app.advance(TimeDelta::hours(6));
        eventually("it is tried again", async || {
            sent(&app, "unreachable").await > before
        })
        .await;
    }
    let state = shown(&app, &broken).await;
    assert_eq!(state["waiting"], 13, "{state:#}");
    assert!(state["failing_since"].is_string(), "{state:#}");
    assert!(state["disabled_at"].is_null(), "{state:#}");
    let error = state["last_error"].as_str().expect("a reason");
    assert!(error.contains("refused"), "{error}");
    eventually("the gauges show them", async || {
        app.metric("webhook_waiting_events").await == 13.0
            && app.metric("webhook_oldest_age_seconds").await >= 86_000.0
    })
    .await;

    gate.restore();
    // Longer than the back-off of the endpoint, and shorter than those of its events.
    app.advance(TimeDelta::seconds(61));
    let all = down.wait_for(13).await;
    eventually("nothing waits", async || waiting(&app).await == 0).await;
    assert_in_order(&all);
    assert_eq!(ids(&all), ids(&up.all()), "the same events");
    assert_eq!((down.all().len(), up.all().len()), (13, 13), "once each");
    let state = shown(&app, &broken).await;
    assert!(state["failing_since"].is_null(), "{state:#}");
}

/// An endpoint accepts connections and never answers.
#[tokio::test]
async fn silent_endpoint_delays_no_other() {
    let (silent, other) = (Receiver::new(), Receiver::new());
    let app = setup().start().await;
    silent.answer(Answer::Hold);
    add(&app, &silent.url(), &[]).await;
    add(&app, &other.url(), &[]).await;
    three_events(&app, "/a.csv").await;
    silent.wait_for(1).await;
    for n in 2..=4 {
        three_events(&app, &format!("/{n}.csv")).await;
    }
    other.wait_for(12).await;
    assert!(silent.all().len() <= 4, "its calls are limited");
    silent.release();
    silent.wait_for(12).await;
    assert_in_order(&silent.all());
}

/// Retention keeps an event for an endpoint that is down, but not for one that is disabled.
#[tokio::test]
async fn retention_keeps_events_that_wait_for_enabled_endpoints_only() {
    let receiver = Receiver::new();
    let app = setup()
        .set("BROKER_RETENTION_EVENTS_DAYS", 1)
        .set("BROKER_NOTIFY", "upload.failed")
        .start()
        .await;
    receiver.answer(Answer::Status(500));
    add(&app, &receiver.url(), &[]).await;
    app.upload("/a.csv", "a", json!({})).await;
    receiver.wait_for(1).await;
    app.advance(TimeDelta::days(2));
    app.janitor().await;
    let events = "SELECT count(*) FROM events";
    assert_eq!(number(&app, events).await, 1, "it waits");
    receiver.answer(Answer::Status(410));
    app.advance(TimeDelta::minutes(2));
    eventually("the endpoint is disabled", async || {
        app.metric("webhooks_disabled_total").await == 1.0
    })
    .await;
    app.janitor().await;
    assert_eq!(number(&app, events).await, 0);
    assert_eq!(waiting(&app).await, 0, "the delivery goes with its event");
}
