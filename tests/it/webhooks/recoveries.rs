//! An endpoint accepts events again after an outage: what that means for the events that failed.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

use super::relays::{app_without_relay, relay, round};
use super::{add, cancelled_upload, shown, waiting};
use crate::support::app::App;
use crate::support::receiver::{Answer, Receiver};

/// Accepts everything but the events of this path.
fn reject_only(receiver: &Receiver, path: &'static str) {
    receiver.decide(move |delivery| match delivery.subject().0 == path {
        true => Answer::Status(400),
        false => Answer::Status(200),
    });
}

/// Gives all events that failed a back-off until this time.
async fn postpone_failed(app: &App, until: DateTime<Utc>) {
    let postpone =
        "UPDATE webhook_deliveries SET due_at = $1::text::timestamptz WHERE attempts > 0";
    let postponed = app
        .sql()
        .await
        .execute(postpone, &[&until.to_rfc3339()])
        .await;
    assert!(postponed.expect("an update") > 0, "no event has failed");
}

fn sent_to(receiver: &Receiver, path: &str) -> usize {
    let all = receiver.all();
    all.iter().filter(|one| one.subject().0 == path).count()
}

/// One event is never accepted. Two others fail because the endpoint is down: they are sent at once
/// when it returns, long before their back-off is over.
#[tokio::test]
async fn event_that_failed_before_an_outage_keeps_its_own_back_off() {
    let receiver = Receiver::new();
    let app = app_without_relay().await;
    add(&app, &receiver.url(), &[]).await;
    let relay = relay(&app);
    reject_only(&receiver, "/bad.csv");
    for path in ["/bad.csv", "/accepted.csv"] {
        cancelled_upload(&app, path).await;
    }
    assert_eq!(round(&relay).await, 1);
    assert_eq!(waiting(&app).await, 1, "the one that is not accepted");
    let later = app.clock.now() + TimeDelta::hours(1);
    postpone_failed(&app, later).await;

    app.advance(TimeDelta::minutes(1));
    receiver.answer(Answer::Status(502));
    for path in ["/1.csv", "/2.csv"] {
        cancelled_upload(&app, path).await;
    }
    assert_eq!(round(&relay).await, 1);
    postpone_failed(&app, later).await;
    reject_only(&receiver, "/bad.csv");
    cancelled_upload(&app, "/3.csv").await;
    app.advance(TimeDelta::minutes(1));
    assert_eq!(round(&relay).await, 1);
    for path in ["/1.csv", "/2.csv"] {
        assert_eq!(sent_to(&receiver, path), 2, "{path}");
    }
    assert_eq!(sent_to(&receiver, "/3.csv"), 1);
    assert_eq!(waiting(&app).await, 1);
    assert_eq!(sent_to(&receiver, "/bad.csv"), 1, "it is not due");
    app.advance(TimeDelta::hours(1));
    assert_eq!(round(&relay).await, 1);
    assert_eq!(sent_to(&receiver, "/bad.csv"), 2);
}

/// The endpoint was down for 71.5 hours of the 72 after which it is disabled. One event is rejected
/// after that, too.
#[tokio::test]
async fn event_has_another_hour_after_a_long_outage() {
    let receiver = Receiver::new();
    let app = app_without_relay().await;
    let endpoint = add(&app, &receiver.url(), &[]).await;
    let relay = relay(&app);
    receiver.answer(Answer::Status(502));
    cancelled_upload(&app, "/bad.csv").await;
    assert_eq!(round(&relay).await, 1);
    let start = app.clock.now() - TimeDelta::minutes(71 * 60 + 30);
    let (client, start) = (app.sql().await, start.to_rfc3339());
    for age in [
        "UPDATE webhooks SET failing_since = $1::text::timestamptz",
        "UPDATE webhook_deliveries SET first_failed_at = $1::text::timestamptz",
    ] {
        assert_eq!(client.execute(age, &[&start]).await.expect("an update"), 1);
    }
    postpone_failed(&app, app.clock.now() + TimeDelta::hours(1)).await;
    reject_only(&receiver, "/bad.csv");
    cancelled_upload(&app, "/1.csv").await;
    let mut rejected = 1;
    for (minutes, is_disabled) in [(1, false), (50, false), (20, true)] {
        app.advance(TimeDelta::minutes(minutes));
        assert_eq!(round(&relay).await, 1);
        rejected += 1;
        assert_eq!(sent_to(&receiver, "/bad.csv"), rejected);
        let state = shown(&app, &endpoint).await;
        let disabled_at = &state["disabled_at"];
        assert_eq!(*disabled_at != Value::Null, is_disabled, "{state:#}");
    }
    assert_eq!(sent_to(&receiver, "/1.csv"), 1);
    assert_eq!(waiting(&app).await, 1, "the event is kept");
}
