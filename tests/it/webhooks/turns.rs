//! Which endpoint is next, and what ends its turn.

use std::error::Error as _;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use upload_broker::notify::webhooks::relay::Limits;

use super::relays::{app_without_relay, relay, relay_with, round};
use super::{add, cancelled_upload, number, sent, shown, waiting, webhooks};
use crate::support::receiver::{Answer, Receiver};

/// The answers take longer than the turn. The rest is sent at the next turn.
#[tokio::test]
async fn slow_endpoint_starts_no_call_after_its_turn() {
    let receiver = Receiver::new();
    receiver.answer(Answer::Hold);
    let app = app_without_relay().await;
    add(&app, &receiver.url(), &[]).await;
    for n in 0..6 {
        cancelled_upload(&app, &format!("/{n}.csv")).await;
    }
    let limits = Limits {
        work_time: Duration::from_secs(2),
        ..Limits::default()
    };
    let relay = relay_with(&app, limits);
    let answer_late = async {
        receiver.wait_for(4).await;
        tokio::time::sleep(limits.work_time).await;
        receiver.release();
    };
    tokio::join!(round(&relay), answer_late);
    assert_eq!(receiver.all().len(), 4, "no further call was started");
    assert_eq!(waiting(&app).await, 2);
    assert_eq!(round(&relay).await, 1, "it was released");
    assert_eq!(receiver.all().len(), 6, "each was sent once");
    assert_eq!(waiting(&app).await, 0);
}

/// One answer is held until all other events have arrived. Each event has its own outcome, although the
/// answers arrive in another order.
#[tokio::test]
async fn slow_answer_delays_no_other_event_of_the_round() {
    let receiver = Receiver::new();
    receiver.decide(|delivery| match &*delivery.subject().0 {
        "/0.csv" => Answer::Hold,
        "/5.csv" => Answer::Status(500),
        _ => Answer::Status(200),
    });
    let app = app_without_relay().await;
    add(&app, &receiver.url(), &[]).await;
    for n in 0..6 {
        cancelled_upload(&app, &format!("/{n}.csv")).await;
        app.advance(TimeDelta::seconds(1));
    }
    let relay = relay(&app);
    let answer_last = async {
        receiver.wait_for(6).await;
        receiver.release();
    };
    tokio::join!(round(&relay), answer_last);
    assert_eq!(waiting(&app).await, 1, "the one that was rejected");
    receiver.answer(Answer::Status(200));
    app.advance(TimeDelta::minutes(1));
    assert_eq!(round(&relay).await, 1);
    assert_eq!(receiver.all()[6].subject().0, "/5.csv");
    assert_eq!(waiting(&app).await, 0);
}

/// There is one place. An endpoint that had asked for a pause is not always the last one.
#[tokio::test]
async fn endpoint_that_has_waited_longest_is_next() {
    let (recent, paused, fresh) = (Receiver::new(), Receiver::new(), Receiver::new());
    let app = app_without_relay().await;
    let now = app.clock.now();
    let client = app.sql().await;
    for (receiver, delivered, retry) in [
        (&recent, Some(now - TimeDelta::minutes(1)), None),
        (
            &paused,
            Some(now - TimeDelta::hours(1)),
            Some(now - TimeDelta::minutes(30)),
        ),
        (&fresh, None, None),
    ] {
        let endpoint = add(&app, &receiver.url(), &[]).await;
        let update = "UPDATE webhooks SET last_delivered_at = $1::text::timestamptz, \
                      retry_at = $2::text::timestamptz WHERE id::text = $3";
        let [delivered, retry] =
            [delivered, retry].map(|at: Option<DateTime<Utc>>| at.map(|at| at.to_rfc3339()));
        let changed = client
            .execute(update, &[&delivered, &retry, &endpoint.id])
            .await;
        assert_eq!(changed.expect("an update"), 1);
    }
    cancelled_upload(&app, "/a.csv").await;
    let relay = relay_with(
        &app,
        Limits {
            endpoints: 1,
            ..Limits::default()
        },
    );
    let counts = || [&fresh, &paused, &recent].map(|receiver| receiver.all().len());
    for expected in [[1, 0, 0], [1, 1, 0], [1, 1, 1]] {
        assert_eq!(round(&relay).await, 1);
        assert_eq!(counts(), expected);
    }
}

/// A constraint makes the second of the two claims fail.
#[tokio::test]
async fn claim_that_fails_halfway_leaves_no_lease_behind() {
    let receiver = Receiver::new();
    let app = app_without_relay().await;
    add(&app, &receiver.url(), &[]).await;
    let failing = add(&app, &receiver.url(), &[]).await;
    cancelled_upload(&app, "/a.csv").await;
    let client = app.sql().await;
    let fails = format!(
        "UPDATE webhooks SET failures = 1, failing_since = created_at WHERE id = '{}'; \
         ALTER TABLE webhooks ADD CONSTRAINT fault CHECK (failures = 0 OR holder IS NULL)",
        failing.id
    );
    client.batch_execute(&fails).await.expect("a constraint");
    let relay = relay(&app);
    let never = tokio_util::sync::CancellationToken::new();
    let error = relay.run_once(&never).await.expect_err("a failure");
    let cause = error.source().expect("a cause").to_string();
    assert!(cause.contains("\"fault\""), "{cause}");
    let leased = "SELECT count(*) FROM webhooks WHERE holder IS NOT NULL";
    assert_eq!(number(&app, leased).await, 0);
    let repair = "ALTER TABLE webhooks DROP CONSTRAINT fault";
    client.batch_execute(repair).await.expect("a repair");
    assert_eq!(round(&relay).await, 2);
    assert_eq!(waiting(&app).await, 0);
}

#[tokio::test]
async fn invalid_url_is_a_failure_with_a_back_off() {
    let app = app_without_relay().await;
    let endpoint = add(&app, "https://example.com/", &[]).await;
    let damage = "UPDATE webhooks SET url = 'nonsense'";
    app.sql().await.execute(damage, &[]).await.expect("a row");
    cancelled_upload(&app, "/a.csv").await;
    let relay = relay(&app);
    assert_eq!(round(&relay).await, 1);
    let state = shown(&app, &endpoint).await;
    assert_eq!(state["last_error"], "its URL is invalid", "{state:#}");
    assert_ne!(state["failing_since"], Value::Null, "{state:#}");
    assert_eq!(sent(&app, "unreachable").await, 1.0);
    assert_eq!(round(&relay).await, 0, "not before the back-off is over");
    assert_eq!(waiting(&app).await, 1);
}

/// The outcome of a call from before does not change the endpoint any more.
#[tokio::test]
async fn endpoint_that_is_enabled_during_a_call_is_free_at_once() {
    let receiver = Receiver::new();
    receiver.answer(Answer::Hold);
    let app = app_without_relay().await;
    let endpoint = add(&app, &receiver.url(), &[]).await;
    app.upload("/a.csv", "a", json!({})).await;
    let (early, late) = (relay(&app), relay(&app));
    let enable = async {
        receiver.wait_for(1).await;
        assert_eq!(round(&late).await, 0, "the endpoint is leased");
        webhooks(&app, &["enable", &endpoint.id]).await.ok();
        receiver.answer(Answer::Status(500));
        assert_eq!(round(&late).await, 1);
        let failed = shown(&app, &endpoint).await;
        receiver.release();
        failed
    };
    let (_, failed) = tokio::join!(round(&early), enable);
    assert_eq!(
        failed["last_error"], "500 Internal Server Error",
        "{failed:#}"
    );
    assert_eq!(shown(&app, &endpoint).await, failed, "nothing was recorded");
    assert_eq!(waiting(&app).await, 1);
}
