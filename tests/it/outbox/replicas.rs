//! Several relays: one is slow, one dies, one stops.

use chrono::TimeDelta;
use tokio_util::sync::CancellationToken;

use super::{WAITING, number, relay, round, write_chains, write_events};
use crate::support::app::{App, Setup};
use crate::support::blocked_gate::BlockedGate;
use crate::support::cloud;
use crate::support::gate::Gate;
use crate::support::observe::TIMEOUT;

/// A little longer than a lease.
const PAST_THE_LEASE: TimeDelta = TimeDelta::seconds(31);

/// The sequence numbers of the next `count` notifications, in order of arrival.
async fn arrived_sequences(app: &App, count: usize) -> Vec<String> {
    let messages = app.inbox.receive_until(count, TIMEOUT).await;
    let sequence = |json: serde_json::Value| json["sequence"].as_str().expect("a text").to_owned();
    let sequences = messages.iter().map(|message| sequence(message.json()));
    sequences.collect()
}

/// A relay's call takes longer than its lease. Another relay sends the event and only then the next
/// one of the upload. The call of the slow relay then sends the event a second time.
#[tokio::test]
async fn call_that_outlives_its_lease_only_repeats_an_event() {
    let app = Setup::new().without_topic().start().await;
    write_chains(&app.sql().await, app.clock.now(), 1, 2).await;
    app.advance(TimeDelta::seconds(1));
    let mut blocked_sns = BlockedGate::new(cloud::address()).await;
    let slow = relay(&app, &blocked_sns.endpoint());
    let slow = tokio::spawn(async move { round(&slow).await });
    blocked_sns.request_waits().await;
    let other = relay(&app, &cloud::endpoint());
    assert_eq!(
        round(&other).await.leased,
        0,
        "leased, and the next one waits"
    );

    app.advance(PAST_THE_LEASE);
    assert_eq!(round(&other).await.published, 1);
    assert_eq!(round(&other).await.published, 1);
    assert_eq!(arrived_sequences(&app, 2).await, ["1", "2"]);
    blocked_sns.release();
    assert_eq!(slow.await.expect("the slow one").published, 1);
    assert_eq!(arrived_sequences(&app, 1).await, ["1"], "at least once");
    assert_eq!(number(&app, WAITING).await, 0);
}

/// A relay whose call fails after the end of its lease does not touch the lease of the next relay.
#[tokio::test]
async fn failure_after_end_of_lease_leaves_next_lease_unchanged() {
    let app = Setup::new().without_topic().start().await;
    write_events(&app, 1, 0).await;
    let doomed = Gate::new(cloud::address());
    doomed.block();
    let first = relay(&app, &doomed.endpoint());
    let first = tokio::spawn(async move { round(&first).await });
    doomed.request_waits().await;
    app.advance(PAST_THE_LEASE);
    let mut blocked_sns = BlockedGate::new(cloud::address()).await;
    let second = relay(&app, &blocked_sns.endpoint());
    let second = tokio::spawn(async move { round(&second).await });
    blocked_sns.request_waits().await;

    doomed.close().await;
    let failed = first.await.expect("the first one");
    assert!(failed.failure.is_some(), "{failed:?}");
    let third = relay(&app, &cloud::endpoint());
    assert_eq!(round(&third).await.leased, 0, "it is the second one's");
    blocked_sns.release();
    assert_eq!(second.await.expect("the second one").published, 1);
    assert_eq!(app.inbox.waiting().await, 1, "it was sent once");
}

/// The relay that holds the lease has died.
#[tokio::test]
async fn events_of_dead_relay_are_sent_by_another_when_lease_ends() {
    let app = Setup::new().without_topic().start().await;
    write_events(&app, 1, 0).await;
    let mut blocked_sns = BlockedGate::new(cloud::address()).await;
    let dead = relay(&app, &blocked_sns.endpoint());
    let dead = tokio::spawn(async move { round(&dead).await });
    blocked_sns.request_waits().await;
    dead.abort();
    let other = relay(&app, &cloud::endpoint());
    app.advance(TimeDelta::seconds(29));
    assert_eq!(round(&other).await.leased, 0, "the lease holds");
    app.advance(TimeDelta::seconds(2));
    assert_eq!(round(&other).await.published, 1);
    let message = app.inbox.receive_until(1, TIMEOUT).await.remove(0);
    assert_eq!(message.json()["subject"], "/bulk/1");
}

/// A relay that is asked to stop finishes its running calls and releases the other events at once.
#[tokio::test]
async fn stopped_relay_releases_events_it_has_not_sent() {
    let app = Setup::new().without_topic().start().await;
    write_events(&app, 100, 0).await;
    let mut blocked_sns = BlockedGate::new(cloud::address()).await;
    let stopping = relay(&app, &blocked_sns.endpoint());
    let stop = CancellationToken::new();
    let switch = stop.clone();
    let stopping = tokio::spawn(async move { stopping.run(stop).await });
    blocked_sns.request_waits().await;
    switch.cancel();
    blocked_sns.release();
    stopping.await.expect("the relay");

    let left = number(&app, WAITING).await;
    assert!(
        (60..100).contains(&left),
        "calls under way are finished: {left} left"
    );
    let other = relay(&app, &cloud::endpoint());
    let next = round(&other).await;
    let left = usize::try_from(left).expect("a number");
    assert_eq!(
        (next.leased, next.published),
        (left, left),
        "no lease in the way"
    );
    assert_eq!(app.inbox.waiting().await, 100, "each was sent once");
}

/// Leases, failures and updates of several relays never send a later event of an upload before an
/// earlier one.
#[tokio::test]
async fn several_relays_keep_the_event_order_of_each_upload() {
    let app = Setup::new().without_topic().fifo().start().await;
    write_chains(&app.sql().await, app.clock.now(), 8, 4).await;
    app.advance(TimeDelta::seconds(1));
    let relays: Vec<_> = (0..3).map(|_| relay(&app, &cloud::endpoint())).collect();
    while number(&app, WAITING).await > 0 {
        futures::future::join_all(relays.iter().map(round)).await;
    }
    let mut last = std::collections::BTreeMap::new();
    for message in app.inbox.receive_until(32, TIMEOUT).await {
        let event = message.json();
        let sequence: i32 = event["sequence"]
            .as_str()
            .expect("a text")
            .parse()
            .expect("a number");
        let before = last
            .insert(event["subject"].to_string(), sequence)
            .unwrap_or(0);
        assert_eq!(sequence, before + 1, "{event:#}");
    }
    assert_eq!(last.len(), 8);
}
