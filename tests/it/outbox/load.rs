//! Many events, big ones, and several relays at once.

use futures::future::join_all;

use super::{WAITING, number, relay, round, write_events};
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
async fn several_relays_share_the_work() {
    let app = Setup::new().without_topic().start().await;
    write_events(&app, 400, 10).await;
    let relays: Vec<_> = (0..4).map(|_| relay(&app, &cloud::endpoint())).collect();
    while number(&app, WAITING).await > 0 {
        let rounds = join_all(relays.iter().map(round)).await;
        let claimed: usize = rounds.iter().map(|round| round.claimed).sum();
        assert!(claimed > 0, "events wait, and nobody claims them");
    }
    assert_eq!(app.inbox.waiting().await, 400, "each was sent once");
    let twice = "SELECT count(*) FROM events WHERE attempts <> 1";
    assert_eq!(number(&app, twice).await, 0);
}
