//! Many events, big ones, impossible ones, and several relays at once.

use std::sync::Arc;

use futures::future::join_all;
use tokio::sync::Notify;
use upload_broker::notify::relay::Relay;
use upload_broker::notify::sns::Topic;

use super::{WAITING, number, write_events};
use crate::support::app::{App, Setup};
use crate::support::cloud;
use crate::support::observe::eventually;

const CALLS: &str = r#"sns_publish_duration_seconds_count{outcome="ok"}"#;

async fn all_published(app: &App) {
    eventually("all events are published", async || {
        number(app, WAITING).await == 0
    })
    .await;
}

#[tokio::test]
async fn a_thousand_events_take_a_hundred_calls() {
    let app = App::start().await;
    write_events(&app, 1_000, 100).await;
    all_published(&app).await;
    assert_eq!(app.inbox.waiting().await, 1_000, "each arrived once");
    let calls = app.metric(CALLS).await;
    assert!((100.0..=101.0).contains(&calls), "{calls} calls");
    let entries = app.metric(r#"sns_publish_entries_total{outcome="ok"}"#);
    assert_eq!(entries.await, 1_000.0);
    assert_eq!(app.metric("events_published_total").await, 1_000.0);
}

#[tokio::test]
async fn big_events_share_a_call_up_to_256_kib() {
    let app = App::start().await;
    // Two of 100 KB and what surrounds them fit into a call, three do not.
    write_events(&app, 20, 100_000).await;
    all_published(&app).await;
    assert_eq!(app.metric(CALLS).await, 10.0);
    assert_eq!(app.inbox.waiting().await, 20);
}

#[tokio::test]
async fn an_impossible_event_does_not_hold_up_the_others() {
    let app = App::start().await;
    write_events(&app, 5, 10).await;
    all_published(&app).await;
    let grown = "UPDATE events SET published_at = NULL, data = data || \
         jsonb_build_object('comments', repeat('x', CASE data->>'path' \
         WHEN '/bulk/3' THEN 300000 ELSE 10 END))";
    app.sql().await.execute(grown, &[]).await.expect("rows");
    let due = "UPDATE events SET due_at = '2020-01-01'";
    app.sql().await.execute(due, &[]).await.expect("rows");
    eventually("the others are published", async || {
        number(&app, WAITING).await == 1
    })
    .await;
    eventually("it is put back with a reason", async || {
        let put_back = "SELECT count(*) FROM events WHERE last_error LIKE '%more than SNS takes' \
                        AND due_at > '2021-01-01' AND data->>'path' = '/bulk/3'";
        number(&app, put_back).await == 1
    })
    .await;
    assert_eq!(app.inbox.waiting().await, 9);
}

#[tokio::test]
async fn several_relays_share_the_work() {
    let app = Setup::new().without_topic().start().await;
    write_events(&app, 400, 10).await;
    let relays: Vec<_> =
        (0..4)
            .map(|_| {
                let metrics = Arc::clone(&app.broker.metrics);
                let config = crate::support::setup::sdk(
                    &cloud::endpoint(),
                    aws_credential_types::provider::SharedCredentialsProvider::new(
                        cloud::credentials(),
                    ),
                );
                Relay {
                    pool: app.broker.pool.clone(),
                    topic: Some(Topic::new(
                        &config,
                        &app.inbox.topic_arn,
                        Arc::clone(&metrics),
                    )),
                    clock: app.clock.clone(),
                    metrics,
                    nudge: Arc::new(Notify::new()),
                }
            })
            .collect();
    while number(&app, WAITING).await > 0 {
        let rounds = join_all(relays.iter().map(Relay::run_once)).await;
        let claimed: usize = rounds
            .into_iter()
            .map(|round| round.expect("a round"))
            .sum();
        assert!(claimed > 0, "events wait, and nobody claims them");
    }
    assert_eq!(app.inbox.waiting().await, 400, "each was sent once");
    let twice = "SELECT count(*) FROM events WHERE attempts <> 1";
    assert_eq!(number(&app, twice).await, 0);
}
