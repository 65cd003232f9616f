//! Many events, large events, and several relays at once.

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
async fn thousand_events_are_sent_in_batches_of_ten() {
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
async fn batch_of_large_events_stays_within_256_kib() {
    let app = App::start().await;
    // Two events of 100 KB and their envelopes fit into one call, three do not.
    write_events(&app, 20, 100_000).await;
    all_published(&app).await;
    assert_eq!(app.metric(CALLS).await, 10.0);
    assert_eq!(app.inbox.waiting().await, 20);
}

#[tokio::test]
async fn several_relays_send_each_event_once() {
    let app = Setup::new().without_topic().start().await;
    write_events(&app, 400, 10).await;
    let relays: Vec<_> = (0..4).map(|_| relay(&app, &cloud::endpoint())).collect();
    while number(&app, WAITING).await > 0 {
        let rounds = join_all(relays.iter().map(round)).await;
        let claimed: usize = rounds.iter().map(|round| round.leased).sum();
        assert!(claimed > 0, "events wait, and no relay claims them");
    }
    assert_eq!(app.inbox.waiting().await, 400, "each was sent once");
    let twice = "SELECT count(*) FROM events WHERE attempts <> 1";
    assert_eq!(number(&app, twice).await, 0);
}
