//! Nothing is skipped or repeated, in whatever order transactions commit.

use std::time::Duration;

use reqwest::StatusCode;
use serde_json::json;

use super::{insert, named, open, resume};
use crate::support::app::{App, Setup};
use crate::support::observe::eventually;

#[tokio::test]
async fn event_of_transaction_that_commits_late_is_not_skipped() {
    let app = App::start().await;
    let late = app.upload("/late.csv", "x", json!({})).await;
    let mut stream = open(&app, "/events").await;
    let start = stream.last_id.clone();
    let mut writer = app.sql().await;
    let transaction = writer.transaction().await.expect("a transaction");
    insert(&transaction, &late, 2..3).await;
    // These have later transactions, which commit first.
    app.upload("/early.csv", "x", json!({})).await;
    let other = app.sql().await;
    insert(&other, &late, 3..4).await;
    stream.expect_nothing(Duration::from_secs(2)).await;
    let page = app.get(&format!("/events?after={start}")).await;
    let page = page.expect(StatusCode::OK);
    assert_eq!(page, json!([]), "a page goes no further than a stream");
    transaction.commit().await.expect("a commit");
    let expected = named(&[("/late.csv", 2), ("/early.csv", 1), ("/late.csv", 3)]);
    assert_eq!(stream.events(3).await, expected);
    let mut again = resume(&app, "/events", &start).await;
    assert_eq!(
        again.events(3).await,
        expected,
        "the same order for everybody"
    );
}

#[tokio::test]
async fn held_events_are_measured() {
    let app = App::start().await;
    let upload = app.upload("/a.csv", "x", json!({})).await;
    let mut stream = open(&app, "/events").await;
    let mut writer = app.sql().await;
    let transaction = writer.transaction().await.expect("a transaction");
    insert(&transaction, &upload, 2..3).await;
    let other = app.sql().await;
    insert(&other, &upload, 3..4).await;
    app.advance(chrono::TimeDelta::minutes(2));
    let held = "the age of the held event is shown";
    eventually(held, async || {
        app.metric("event_feed_held_seconds").await > 60.0
    })
    .await;
    transaction.rollback().await.expect("a rollback");
    assert_eq!(stream.events(1).await, named(&[("/a.csv", 3)]));
    let free = "nothing is held back any more";
    eventually(free, async || {
        app.metric("event_feed_held_seconds").await == 0.0
    })
    .await;
}

#[tokio::test]
async fn client_that_connects_again_gets_each_event_once() {
    let app = App::start().await;
    let upload = app.upload("/a.csv", "x", json!({})).await;
    let client = app.sql().await;
    let mut stream = open(&app, "/events").await;
    let mut found = Vec::new();
    let mut next = 2;
    for _ in 0..5 {
        insert(&client, &upload, next..next + 7).await;
        next += 7;
        // The client leaves in the middle, and events happen while it is away.
        found.extend(stream.events(4).await);
        let last_id = stream.last_id.clone();
        drop(stream);
        insert(&client, &upload, next..next + 3).await;
        next += 3;
        stream = resume(&app, "/events", &last_id).await;
        found.extend(stream.events(6).await);
    }
    let expected: Vec<_> = (2..i64::from(next))
        .map(|n| ("/a.csv".to_owned(), n))
        .collect();
    assert_eq!(found, expected);
    stream.expect_nothing(Duration::from_millis(1500)).await;
}

#[tokio::test]
async fn slow_reader_gets_everything_in_order() {
    let setup = Setup::new().set("BROKER_WRITE_TIMEOUT_SECONDS", 600);
    let app = setup.start().await;
    let upload = app.upload("/a.csv", "x", json!({})).await;
    let mut slow = open(&app, "/events").await;
    let mut fast = open(&app, "/events").await;
    // It does not read while 12 MB are sent, in far more messages than its channel holds.
    insert(&app.sql().await, &upload, 2..6_002).await;
    let expected = (2..6_002).map(|n| ("/a.csv".to_owned(), n));
    assert!(expected.clone().eq(fast.events(6_000).await));
    let found = slow.events(6_000).await;
    assert!(expected.eq(found), "an event is missing or repeated");
}
