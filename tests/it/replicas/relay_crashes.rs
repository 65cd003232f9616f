//! `kill -9` of a relay between two chosen steps. A gate holds SNS until the process is dead; the
//! other replica relays only afterwards.

use crate::support::fleet::Fleet;
use crate::support::gate::Gate;
use crate::support::invariant;

/// The replica that nobody kills.
const OTHER: usize = 1;

/// The state of the outbox in which the relay dies, and how often the subscriber hears of the
/// event in the end.
async fn relay_dies(hold: fn(&Gate), at_the_step: impl AsyncFnOnce(&Gate), heard: usize) {
    let fleet = Fleet::start(&[]).await;
    // Only the doomed one relays.
    fleet.replicas[OTHER].sns.cut().await;
    let sns = &fleet.replicas[0].sns;
    hold(sns);
    let caller = fleet.caller(0);
    let uploaded = caller.upload("/a.csv", "a").await;
    at_the_step(sns).await;
    fleet.replicas[0].kill().await;
    // What it had on the wire is lost with it.
    sns.cut().await;
    let client = fleet.sql().await;
    let unmarked = "SELECT count(*) FROM events WHERE published_at IS NULL";
    let unmarked = client.query_one(unmarked, &[]).await.expect("a count");
    assert_eq!(unmarked.get::<_, i64>(0), 1, "nobody marked it");
    let truth = invariant::holds(&fleet, &[], vec![], 0).await;
    let told: Vec<_> = truth.delivered.values().flatten().collect();
    assert_eq!(told.len(), heard, "{told:#?}");
    assert_eq!(truth.delivered.len(), 1, "one event id: {told:#?}");
    assert_eq!(told[0]["data"]["upload_id"], uploaded["id"]);
}

#[tokio::test]
async fn after_the_claim_of_an_event_before_its_publish() {
    relay_dies(Gate::hold, async |sns| sns.request_waits().await, 1).await;
}

#[tokio::test]
async fn after_the_publish_of_an_event_before_its_mark() {
    relay_dies(Gate::hold_answers, async |sns| sns.answer_waits().await, 2).await;
}
