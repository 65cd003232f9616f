//! Events that SNS rejects are given up one by one, and no other event waits for them.

use chrono::TimeDelta;
use reqwest::StatusCode;
use serde_json::{Value, json};

use super::{WAITING, number, write_chains, write_events};
use crate::support::app::{App, Setup};
use crate::support::cloud;
use crate::support::observe::{TIMEOUT, eventually};
use crate::support::sns_proxy::{CallAction, SentEntry, SnsProxy};

const GIVEN_UP: &str = "SELECT count(*) FROM events WHERE undeliverable_at IS NOT NULL";

/// Whether an entry is the one that these tests make fail: the first event of `/chain/1`.
fn is_failing_entry(sent: &SentEntry) -> bool {
    let event: Value = serde_json::from_str(&sent.message).expect("an envelope");
    event["subject"] == "/chain/1" && event["sequence"] == "1"
}

/// An app whose SNS is behind `door`, with two uploads of two events each that fall due together.
async fn app_behind(proxy: &SnsProxy) -> App {
    let app = Setup::new().sns(proxy.endpoint()).start().await;
    let soon = app.clock.now() + TimeDelta::milliseconds(900);
    write_chains(&app.sql().await, soon, 2, 2).await;
    app.advance(TimeDelta::seconds(1));
    app
}

/// Asserts that the first event of `/chain/1` was given up for `reason` and that the other three
/// arrived.
async fn assert_only_failing_entry_given_up(app: &App, reason: &str) {
    eventually("no event waits", async || number(app, WAITING).await == 0).await;
    assert_eq!(number(app, GIVEN_UP).await, 1);
    let marked = format!(
        "SELECT count(*) FROM events WHERE undeliverable_at IS NOT NULL AND published_at IS NULL \
         AND sequence = 1 AND data->>'path' = '/chain/1' AND last_error LIKE '{reason}'"
    );
    assert_eq!(number(app, &marked).await, 1, "with the reason");
    let messages = app.inbox.receive_until(3, TIMEOUT).await;
    let mut received: Vec<_> = (messages.iter())
        .map(|message| message.json())
        .map(|event| format!("{} {}", event["subject"], event["sequence"]).replace('"', ""))
        .collect();
    received.sort();
    assert_eq!(received, ["/chain/1 2", "/chain/2 1", "/chain/2 2"]);
    assert_eq!(app.metric("events_undeliverable_total").await, 1.0);
    eventually("given up is not waiting", async || {
        app.metric("outbox_depth_events").await == 0.0
            && app.metric("outbox_oldest_age_seconds").await == 0.0
    })
    .await;
    eventually("neither for a load balancer", async || {
        let ready = app.get("/readyz").await.expect(StatusCode::OK);
        ready["outbox"] == json!({"waiting": 0, "oldest_seconds": null})
    })
    .await;
}

/// Comments and metadata are limited, so that only a row that another program wrote can be this
/// large.
#[tokio::test]
async fn oversized_event_is_given_up_and_later_events_are_sent() {
    let app = Setup::new().without_topic().start().await;
    write_chains(&app.sql().await, app.clock.now(), 2, 2).await;
    app.advance(TimeDelta::seconds(1));
    let grow = "UPDATE events SET data = data || jsonb_build_object('comments', repeat('x', 262144)) \
                WHERE sequence = 1 AND data->>'path' = '/chain/1'";
    app.sql().await.batch_execute(grow).await.expect("a row");
    let relay = super::relay(&app, &cloud::endpoint());
    let first = super::round(&relay).await;
    assert_eq!((first.published, first.undeliverable), (1, 1), "{first:?}");
    let next = super::round(&relay).await;
    assert_eq!((next.published, next.undeliverable), (2, 0), "{next:?}");
    assert_only_failing_entry_given_up(&app, "% bytes exceed the SNS limit of 262144 bytes").await;

    let row = "SELECT upload_id::text FROM events WHERE undeliverable_at IS NOT NULL";
    let row = app.sql().await.query_one(row, &[]).await.expect("a row");
    let events = app.events(&json!({"id": row.get::<_, String>(0)})).await;
    assert!(events[0]["undeliverable_at"].is_string(), "{events:#?}");
    assert_eq!(events[0]["published_at"], Value::Null, "{events:#?}");
    assert_eq!(events[1]["undeliverable_at"], Value::Null, "{events:#?}");
}

/// The most that a client can put into an upload, in characters that take six bytes each in JSON.
#[tokio::test]
async fn largest_upload_a_client_can_describe_fits_into_a_message() {
    let large = Setup::new().set("BROKER_MAX_BODY_BYTES", 1_048_576);
    let app = large.start().await;
    let words = json!({
        "name": "\"".repeat(1024),
        "comments": "\u{1}".repeat(8192),
        "metadata": {"k": "\u{1}".repeat(2047)},
        "content_type": format!("text/{}", "x".repeat(100)),
    });
    let path = ["\\".repeat(200).as_str(); 5].join("/");
    app.upload(&path, "a", words).await;
    let message = app.inbox.receive_until(1, TIMEOUT).await.remove(0);
    assert_eq!(message.json()["data"]["comments"], "\u{1}".repeat(8192));
    assert!(message.body.len() < 262_144 / 2, "{}", message.body.len());
}

#[tokio::test]
async fn entry_that_sns_rejects_for_its_content_is_given_up_at_once() {
    let proxy = SnsProxy::new(|sent| {
        let failing = sent.iter().filter(|sent| is_failing_entry(sent));
        CallAction::RejectEntries(
            failing
                .map(|sent| (sent.id.clone(), "InvalidParameter", true))
                .collect(),
        )
    });
    let app = app_behind(&proxy).await;
    assert_only_failing_entry_given_up(&app, "InvalidParameter: sent by the proxy").await;
    let tried = proxy
        .calls()
        .concat()
        .iter()
        .filter(|sent| is_failing_entry(sent))
        .count();
    assert_eq!(tried, 1, "never again");
}

/// A failure that is not the entry's fault is temporary: the entry is sent again, and the next
/// event of its upload waits for it.
#[tokio::test]
async fn entry_that_fails_temporarily_is_sent_again() {
    let fails = |sent: &[SentEntry]| {
        let failing = sent.iter().filter(|sent| is_failing_entry(sent));
        CallAction::RejectEntries(
            failing
                .map(|sent| (sent.id.clone(), "InternalError", false))
                .collect(),
        )
    };
    let proxy = SnsProxy::new(fails);
    let app = app_behind(&proxy).await;
    eventually("the other upload's are sent", async || {
        number(&app, WAITING).await == 2
    })
    .await;
    let put_off = "SELECT count(*) FROM events WHERE attempts = 1 AND published_at IS NULL \
                   AND last_error = 'InternalError: sent by the proxy'";
    eventually("it is put off, with the reason", async || {
        number(&app, put_off).await == 1
    })
    .await;
    proxy.set_rule(|_| CallAction::Forward);
    app.advance(TimeDelta::seconds(61));
    eventually("both are sent", async || number(&app, WAITING).await == 0).await;
    assert_eq!(number(&app, GIVEN_UP).await, 0);
    assert_eq!(app.inbox.waiting().await, 4);
}

/// SNS rejects the whole call because of one entry and does not say which one.
#[tokio::test]
async fn rejected_batch_is_split_until_all_other_events_are_sent() {
    let proxy = SnsProxy::new(|sent| {
        if sent.iter().any(is_failing_entry) {
            CallAction::Reject(400, "InvalidParameter")
        } else {
            CallAction::Forward
        }
    });
    let app = Setup::new().sns(proxy.endpoint()).start().await;
    write_events(&app, 37, 10).await;
    write_chains(&app.sql().await, app.clock.now(), 1, 1).await;
    app.advance(TimeDelta::seconds(1));
    eventually("the others get through, at once", async || {
        app.inbox.waiting().await == 37
    })
    .await;
    // The first event that is alone in its call is tried again, because the topic could be wrong.
    eventually("it is given up", async || {
        app.advance(TimeDelta::seconds(61));
        number(&app, GIVEN_UP).await == 1 && number(&app, WAITING).await == 0
    })
    .await;
    assert_eq!(app.inbox.waiting().await, 37, "each was sent once");
}

/// A topic that accepts nothing, for example because it is in another region, is rejected with the
/// same code.
#[tokio::test]
async fn topic_that_rejects_everything_makes_no_event_undeliverable() {
    let mut proxy = SnsProxy::new(|_| CallAction::Reject(400, "InvalidParameter"));
    let app = app_behind(&proxy).await;
    proxy.wait_for_calls(3).await;
    let put_off = "SELECT count(*) FROM events WHERE attempts = 1 AND last_error IS NOT NULL";
    eventually("they are put off", async || {
        number(&app, put_off).await == 2
    })
    .await;
    assert_eq!(number(&app, GIVEN_UP).await, 0);
    proxy.set_rule(|_| CallAction::Forward);
    app.advance(TimeDelta::seconds(61));
    eventually("they are sent", async || number(&app, WAITING).await == 0).await;
    assert_eq!(app.inbox.waiting().await, 4);
}
