//! What happens to messages: they stay hidden while they are handled, are released at shutdown, and
//! are left to the dead-letter queue when they cannot be read.

use std::time::Duration;

use serde_json::json;
use tokio_util::sync::CancellationToken;
use upload_broker::arrivals::Round;

use super::scene::{Scene, run_once};
use super::shapes::garbage;
use crate::support::app::Setup;
use crate::support::blocked_gate::BlockedGate;
use crate::support::cloud;
use crate::support::events::Events;
use crate::support::gate::Gate;

/// A broker whose own calls of S3 are held. Its clients use S3 directly.
async fn scene_with_held_s3() -> (Scene, BlockedGate) {
    let blocked_s3 = BlockedGate::new(cloud::address()).await;
    let setup = Setup::new()
        .s3(blocked_s3.endpoint())
        .set("BROKER_S3_PUBLIC_ENDPOINT", cloud::endpoint());
    (Scene::silent(setup).await, blocked_s3)
}

#[tokio::test]
async fn message_stays_hidden_while_it_is_handled() {
    let (mut scene, mut blocked_s3) = scene_with_held_s3().await;
    scene.timing.visibility_timeout = Duration::from_secs(1);
    let session = scene.sent("slow.csv", json!({})).await;
    scene.send_event("ObjectCreated:Put", "slow.csv").await;
    let other = async {
        blocked_s3.request_waits().await;
        // Three times as long as the first visibility timeout.
        assert_eq!(scene.events.take(3).await, None);
        blocked_s3.release();
    };
    let (round, ()) = tokio::join!(scene.round(), other);
    assert_eq!((round.done, round.failed), (1, 0), "{round:?}");
    assert_eq!(scene.app.event_types(&session).await, ["dataset.uploaded"]);
    assert_eq!(scene.events.counts().await, (0, 0));
}

#[tokio::test]
async fn stopped_reader_releases_messages_it_has_not_started() {
    let (scene, mut blocked_s3) = scene_with_held_s3().await;
    let mut sessions = Vec::new();
    for number in 0..10 {
        let path = format!("{number}.csv");
        sessions.push(scene.sent(&path, json!({})).await);
        scene.send_event("ObjectCreated:Put", &path).await;
    }
    let stop = CancellationToken::new();
    let halt = async {
        blocked_s3.request_waits().await;
        stop.cancel();
        blocked_s3.release();
    };
    let (round, ()) = tokio::join!(scene.round_until(stop.clone()), halt);
    assert_eq!(round.received, 10, "{round:?}");
    assert!(round.done > 0 && round.returned > 0, "{round:?}");
    assert_eq!(round.done + round.returned, 10, "{round:?}");
    // The messages return at once, not after their visibility timeout.
    assert_eq!(scene.events.counts().await, (round.returned as u32, 0));
    let sum = scene.rounds(round.returned).await;
    assert_eq!(sum.done, round.returned, "{sum:?}");
    for session in &sessions {
        assert_eq!(scene.app.event_types(session).await, ["dataset.uploaded"]);
    }
}

#[tokio::test]
async fn stop_does_not_wait_for_the_poll() {
    let scene = Scene::silent(Setup::new()).await;
    let stop = CancellationToken::new();
    stop.cancel();
    scene.send_event("ObjectCreated:Put", "a.csv").await;
    let round = scene.round_until(stop).await;
    assert_eq!(round, Round::default());
    assert_eq!(scene.events.counts().await, (1, 0));
}

#[tokio::test]
async fn messages_handed_out_at_the_moment_of_the_stop_are_released() {
    let scene = Scene::silent(Setup::new()).await;
    let gate = Gate::new(cloud::address());
    gate.block_responses();
    scene.send_event("ObjectCreated:Put", "a.csv").await;
    let stop = CancellationToken::new();
    let halt = async {
        gate.response_waits().await;
        assert_eq!(scene.events.counts().await, (0, 1));
        stop.cancel();
        gate.restore();
    };
    let round = run_once(scene.reader_at(&gate.endpoint()), stop.clone());
    let (round, ()) = tokio::join!(round, halt);
    assert_eq!((round.received, round.returned), (1, 1), "{round:?}");
    assert_eq!(scene.events.counts().await, (1, 0));
}

#[tokio::test]
async fn unreadable_messages_end_in_the_dead_letter_queue() {
    let mut scene = Scene::silent(Setup::new()).await;
    scene.timing.visibility_timeout = Duration::from_secs(1);
    scene.timing.wait_time = Duration::from_secs(2);
    let dead = Events::new().await;
    scene.events.set_dead_letter_queue(&dead, 2).await;
    let session = scene.sent("a.csv", json!({})).await;
    let bodies = garbage();
    for body in &bodies {
        scene.events.send(body).await;
    }
    scene.send_event("ObjectCreated:Put", "a.csv").await;
    let mut unreadable = 0;
    let mut done = 0;
    loop {
        let round = scene.round().await;
        unreadable += round.unreadable;
        done += round.done;
        if round.received == 0 {
            break;
        }
        assert_eq!(round.done + round.unreadable, round.received, "{round:?}");
    }
    assert_eq!(unreadable, 2 * bodies.len() as u64, "each comes twice");
    assert_eq!(done, 1);
    assert_eq!(scene.app.event_types(&session).await, ["dataset.uploaded"]);
    assert_eq!(scene.events.counts().await, (0, 0));
    assert_eq!(dead.counts().await, (bodies.len() as u32, 0));
    let counted = scene.app.metric(r#"s3_events_total{outcome="unreadable"}"#);
    assert_eq!(counted.await, unreadable as f64);
}
