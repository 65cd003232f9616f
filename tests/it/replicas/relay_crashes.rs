//! A relay is killed with `kill -9` between two chosen steps. A gate holds SNS until the process is
//! dead. The other replica sends events only afterwards.

use crate::support::fleet::Fleet;
use crate::support::gate::Gate;
use crate::support::invariant;

/// The index of the replica that is not killed.
const OTHER: usize = 1;

/// Kills the relay at a step and asserts that the subscriber receives the event `heard` times in
/// the end.
async fn kill_relay(hold: fn(&Gate), at_the_step: impl AsyncFnOnce(&Gate), heard: usize) {
    let fleet = Fleet::start(&[]).await;
    // Only the replica that will be killed can reach SNS.
    fleet.replicas[OTHER].sns.close().await;
    let sns = &fleet.replicas[0].sns;
    hold(sns);
    let caller = fleet.caller(0);
    let uploaded = caller.upload("/a.csv", "a").await;
    at_the_step(sns).await;
    fleet.replicas[0].kill().await;
    // Requests and answers that the gate still holds are dropped.
    sns.close().await;
    let client = fleet.sql().await;
    let unmarked = "SELECT count(*) FROM events WHERE published_at IS NULL";
    let unmarked = client.query_one(unmarked, &[]).await.expect("a count");
    assert_eq!(unmarked.get::<_, i64>(0), 1, "no replica marked it");
    let snapshot = invariant::check(&fleet, &[], vec![], 0).await;
    let delivered: Vec<_> = snapshot.delivered.values().flatten().collect();
    assert_eq!(delivered.len(), heard, "{delivered:#?}");
    assert_eq!(snapshot.delivered.len(), 1, "one event id: {delivered:#?}");
    assert_eq!(delivered[0]["data"]["upload_id"], uploaded["id"]);
}

#[tokio::test]
async fn event_of_relay_killed_before_publishing_is_delivered_once() {
    kill_relay(Gate::block, async |sns| sns.request_waits().await, 1).await;
}

#[tokio::test]
async fn event_of_relay_killed_after_publishing_is_delivered_twice() {
    kill_relay(
        Gate::block_responses,
        async |sns| sns.response_waits().await,
        2,
    )
    .await;
}
