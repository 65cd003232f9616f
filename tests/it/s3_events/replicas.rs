//! Processes that read one queue, and stop or die while they do.

use serde_json::Value;

use crate::support::app::id;
use crate::support::cloud;
use crate::support::events::Events;
use crate::support::hold::Hold;
use crate::support::observe::within;
use crate::support::process::{PATIENCE, Run};
use crate::support::serving::{Caller, Place};

fn reading(place: &Place, events: &Events) -> Run {
    let run = place.serve();
    run.set("BROKER_S3_EVENTS_QUEUE_URL", &events.url)
        .set("BROKER_S3_PUBLIC_ENDPOINT", cloud::endpoint())
}

async fn kinds(caller: &Caller, session: &Value) -> Vec<String> {
    let reply = caller
        .get(&format!("/uploads/{}/events", id(session)))
        .await;
    let events = reply.expect_ok().json();
    let events = events.as_array().expect("events").clone();
    let kinds = events.iter().map(|event| event["type"].as_str());
    kinds.map(|kind| kind.expect("a type").to_owned()).collect()
}

async fn are_uploaded(caller: &Caller, sessions: &[Value]) {
    for session in sessions {
        let path = format!("/uploads/{}", id(session));
        within(PATIENCE, "each is Uploaded", async || {
            caller.get(&path).await.expect_ok().json()["status"] == "Uploaded"
        })
        .await;
        assert_eq!(kinds(caller, session).await, ["dataset.uploaded"]);
    }
}

async fn sent(caller: &Caller, name: &str, count: usize) -> Vec<Value> {
    let mut sessions = Vec::new();
    for number in 0..count {
        let session = caller.create(&format!("/{name}/{number}.csv")).await;
        caller.put(&session, "id\n1\n").await.expect_ok();
        sessions.push(session);
    }
    sessions
}

#[tokio::test]
async fn two_share_a_queue_and_one_is_killed() {
    let place = Place::new().await;
    let events = Events::new().await;
    events.follow(&place.bucket).await;
    let (one, caller) = place.start(reading(&place, &events)).await;
    let (other, _) = place.start(reading(&place, &events)).await;
    let first = sent(&caller, "first", 20).await;
    other.stop("KILL").await;
    let second = sent(&caller, "second", 20).await;
    // What the dead one had at hand comes back when its time is over.
    are_uploaded(&caller, &first).await;
    are_uploaded(&caller, &second).await;
    one.stop("TERM").await.ok();
}

#[tokio::test]
async fn a_stop_finishes_what_is_at_hand_and_gives_the_rest_back() {
    let place = Place::new().await;
    let events = Events::new().await;
    let mut hold = Hold::new(cloud::address()).await;
    let (sender, caller) = place.start(place.serve()).await;
    events.follow(&place.bucket).await;
    let sessions = sent(&caller, "slow", 10).await;
    let run = reading(&place, &events).set("AWS_ENDPOINT_URL_S3", hold.endpoint());
    let (mut process, _) = place.start(run).await;
    hold.someone_waits().await;
    process.signal("TERM");
    process.says("SIGTERM: stopping").await;
    hold.release();
    process.ended().await.ok();
    let (waiting, taken) = events.counts().await;
    assert_eq!(taken, 0, "nothing is left to a time-out");
    assert!(waiting > 0, "more was at hand than is handled at once");
    // The next one goes on at once. Nobody tells it an endpoint: the URL of the queue does.
    let run = reading(&place, &events).unset("AWS_ENDPOINT_URL_SQS");
    let (next, _) = place.start(run).await;
    are_uploaded(&caller, &sessions).await;
    next.stop("TERM").await.ok();
    sender.stop("TERM").await.ok();
}
