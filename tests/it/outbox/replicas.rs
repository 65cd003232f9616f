//! Relays side by side: one that is slow, one that dies, one that stops.

use chrono::TimeDelta;
use tokio_util::sync::CancellationToken;

use super::{WAITING, number, relay, round, write_chains, write_events};
use crate::support::app::{App, Setup};
use crate::support::cloud;
use crate::support::gate::Gate;
use crate::support::hold::Hold;
use crate::support::observe::PATIENCE;

/// A lease, and a little more.
const PAST_THE_LEASE: TimeDelta = TimeDelta::seconds(31);

/// The sequence numbers that arrive next, in their order.
async fn arrived(app: &App, count: usize) -> Vec<String> {
    let messages = app.inbox.receive_until(count, PATIENCE).await;
    let sequence = |json: serde_json::Value| json["sequence"].as_str().expect("a text").to_owned();
    let sequences = messages.iter().map(|message| sequence(message.json()));
    sequences.collect()
}

/// A relay hangs in its call for longer than its lease. Another one sends its event, and only then
/// the upload's next one; what the slow one does afterwards is a repetition.
#[tokio::test]
async fn a_call_that_outlives_its_lease_only_repeats() {
    let app = Setup::new().without_topic().start().await;
    write_chains(&app.sql().await, app.clock.now(), 1, 2).await;
    app.advance(TimeDelta::seconds(1));
    let mut hold = Hold::new(cloud::address()).await;
    let slow = relay(&app, &hold.endpoint());
    let slow = tokio::spawn(async move { round(&slow).await });
    hold.someone_waits().await;
    let other = relay(&app, &cloud::endpoint());
    assert_eq!(
        round(&other).await.claimed,
        0,
        "leased, and the next one waits"
    );

    app.advance(PAST_THE_LEASE);
    assert_eq!(round(&other).await.taken, 1);
    assert_eq!(round(&other).await.taken, 1);
    assert_eq!(arrived(&app, 2).await, ["1", "2"]);
    hold.release();
    assert_eq!(slow.await.expect("the slow one").taken, 1);
    assert_eq!(arrived(&app, 1).await, ["1"], "at least once");
    assert_eq!(number(&app, WAITING).await, 0);
}

/// A relay whose call fails after its lease has ended leaves the other one's claim alone.
#[tokio::test]
async fn a_late_failure_does_not_touch_the_next_claim() {
    let app = Setup::new().without_topic().start().await;
    write_events(&app, 1, 0).await;
    let doomed = Gate::new(cloud::address());
    doomed.hold();
    let first = relay(&app, &doomed.endpoint());
    let first = tokio::spawn(async move { round(&first).await });
    doomed.request_waits().await;
    app.advance(PAST_THE_LEASE);
    let mut hold = Hold::new(cloud::address()).await;
    let second = relay(&app, &hold.endpoint());
    let second = tokio::spawn(async move { round(&second).await });
    hold.someone_waits().await;

    doomed.cut().await;
    let failed = first.await.expect("the first one");
    assert!(failed.fault.is_some(), "{failed:?}");
    let third = relay(&app, &cloud::endpoint());
    assert_eq!(round(&third).await.claimed, 0, "it is the second one's");
    hold.release();
    assert_eq!(second.await.expect("the second one").taken, 1);
    assert_eq!(app.inbox.waiting().await, 1, "it was sent once");
}

/// A claim whose relay has died.
#[tokio::test]
async fn what_a_dead_relay_had_claimed_is_sent_when_the_lease_ends() {
    let app = Setup::new().without_topic().start().await;
    write_events(&app, 1, 0).await;
    let mut hold = Hold::new(cloud::address()).await;
    let dead = relay(&app, &hold.endpoint());
    let dead = tokio::spawn(async move { round(&dead).await });
    hold.someone_waits().await;
    dead.abort();
    let other = relay(&app, &cloud::endpoint());
    app.advance(TimeDelta::seconds(29));
    assert_eq!(round(&other).await.claimed, 0, "the lease holds");
    app.advance(TimeDelta::seconds(2));
    assert_eq!(round(&other).await.taken, 1);
    let message = app.inbox.receive_until(1, PATIENCE).await.remove(0);
    assert_eq!(message.json()["subject"], "/bulk/1");
}

/// A relay that is told to stop finishes its calls and gives the rest back at once.
#[tokio::test]
async fn a_relay_that_stops_gives_back_what_it_has_not_sent() {
    let app = Setup::new().without_topic().start().await;
    write_events(&app, 100, 0).await;
    let mut hold = Hold::new(cloud::address()).await;
    let stopping = relay(&app, &hold.endpoint());
    let stop = CancellationToken::new();
    let switch = stop.clone();
    let stopping = tokio::spawn(async move { stopping.run(stop).await });
    hold.someone_waits().await;
    switch.cancel();
    hold.release();
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
        (next.claimed, next.taken),
        (left, left),
        "no lease in the way"
    );
    assert_eq!(app.inbox.waiting().await, 100, "each was sent once");
}

/// Leases, failures and marks of one upload never show a later event before an earlier one.
#[tokio::test]
async fn several_relays_keep_each_uploads_order() {
    let app = Setup::new().without_topic().fifo().start().await;
    write_chains(&app.sql().await, app.clock.now(), 8, 4).await;
    app.advance(TimeDelta::seconds(1));
    let relays: Vec<_> = (0..3).map(|_| relay(&app, &cloud::endpoint())).collect();
    while number(&app, WAITING).await > 0 {
        futures::future::join_all(relays.iter().map(round)).await;
    }
    let mut last = std::collections::BTreeMap::new();
    for message in app.inbox.receive_until(32, PATIENCE).await {
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
