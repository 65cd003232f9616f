//! Processes that read one queue, and stop or die meanwhile.

use serde_json::Value;

use crate::support::app::id;
use crate::support::blocked_gate::BlockedGate;
use crate::support::cloud;
use crate::support::events::Events;
use crate::support::observe::within;
use crate::support::process::{Run, TIMEOUT};
use crate::support::serving::{Caller, Place};

fn serve_with_queue(place: &Place, events: &Events) -> Run {
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

async fn assert_uploaded_once(caller: &Caller, sessions: &[Value]) {
    for session in sessions {
        let path = format!("/uploads/{}", id(session));
        within(TIMEOUT, "each is Uploaded", async || {
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
async fn messages_of_killed_replica_are_handled_by_the_other() {
    let place = Place::new().await;
    let events = Events::new().await;
    events.follow(&place.bucket).await;
    let (one, caller) = place.start(serve_with_queue(&place, &events)).await;
    let (other, _) = place.start(serve_with_queue(&place, &events)).await;
    let first = sent(&caller, "first", 20).await;
    other.stop("KILL").await;
    let second = sent(&caller, "second", 20).await;
    // The messages of the dead process return after their visibility timeout.
    assert_uploaded_once(&caller, &first).await;
    assert_uploaded_once(&caller, &second).await;
    one.stop("TERM").await.ok();
}

#[tokio::test]
async fn stopped_replica_finishes_started_messages_and_releases_the_others() {
    let place = Place::new().await;
    let events = Events::new().await;
    let mut blocked_s3 = BlockedGate::new(cloud::address()).await;
    let (sender, caller) = place.start(place.serve()).await;
    events.follow(&place.bucket).await;
    let sessions = sent(&caller, "slow", 10).await;
    let run = serve_with_queue(&place, &events).set("AWS_ENDPOINT_URL_S3", blocked_s3.endpoint());
    let (mut process, _) = place.start(run).await;
    blocked_s3.request_waits().await;
    process.signal("TERM");
    process.wait_for_log("SIGTERM: stopping").await;
    blocked_s3.release();
    process.wait().await.ok();
    let (waiting, taken) = events.counts().await;
    assert_eq!(taken, 0, "nothing is left to a time-out");
    assert!(waiting > 0, "more was at hand than is handled at once");
    // The next process continues at once. It has no endpoint setting for SQS, but uses the one in
    // the URL of the queue.
    let run = serve_with_queue(&place, &events).unset("AWS_ENDPOINT_URL_SQS");
    let (next, _) = place.start(run).await;
    assert_uploaded_once(&caller, &sessions).await;
    next.stop("TERM").await.ok();
    sender.stop("TERM").await.ok();
}
