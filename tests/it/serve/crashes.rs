//! A relay in the real binary is killed with `kill -9` between its steps. A door in front of SNS
//! decides at which step it dies. Then its lease expires.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use chrono::{TimeDelta, Utc};
use serde_json::Value;

use crate::outbox::write_chains;
use crate::support::app::id;
use crate::support::cloud;
use crate::support::database;
use crate::support::inbox::Inbox;
use crate::support::observe::{TIMEOUT, eventually};
use crate::support::process::{Process, Run};
use crate::support::serving::Place;
use crate::support::sns_proxy::{CallAction, SnsProxy};

/// The time after which the work of a dead replica is done.
const MINUTE: Duration = Duration::from_secs(60);
/// The lease minus the time since its last renewal.
const HALF_A_LEASE: Duration = Duration::from_secs(15);

/// A database, a bucket and a topic for brokers.
struct Scene {
    place: Place,
    inbox: Inbox,
}

impl Scene {
    async fn new(inbox: Inbox) -> Scene {
        let place = Place::new().await;
        Scene { place, inbox }
    }

    /// A broker that reaches SNS at `endpoint`.
    fn serve(&self, endpoint: String) -> Run {
        let run = self.place.serve();
        let run = run.set("BROKER_SNS_TOPIC_ARN", &self.inbox.topic_arn);
        let run = run.set("BROKER_LEASE_SECONDS", 3);
        run.set("AWS_ENDPOINT_URL_SNS", endpoint)
    }

    async fn number(&self, sql: &str) -> i64 {
        let client = database::connect(self.place.database.url()).await;
        client.query_one(sql, &[]).await.expect(sql).get(0)
    }

    /// The number of events that are neither published nor given up.
    async fn waiting(&self) -> i64 {
        let waiting = "SELECT count(*) FROM events WHERE notify AND published_at IS NULL";
        self.number(waiting).await
    }

    /// The first `count` notifications.
    async fn notifications(&self, count: usize) -> Vec<Value> {
        let messages = self.inbox.receive_until(count, TIMEOUT).await;
        messages.iter().map(|message| message.json()).collect()
    }
}

/// Kills the process with SIGKILL.
async fn kill(process: Process) {
    let ended = process.stop("KILL").await;
    assert_eq!(ended.status.code(), None, "{ended:#?}");
}

/// The replica is killed after it leased the event and before SNS receives it. The other replica,
/// which runs all the time, respects the lease and sends the event when it has ended. With the
/// default lease, that is within a minute of the kill.
#[tokio::test]
async fn event_of_replica_killed_before_publishing_is_sent_by_other_replica() {
    let scene = Scene::new(Inbox::new().await).await;
    let mut proxy = SnsProxy::new(|_| CallAction::Ignore);
    let run = scene.serve(proxy.endpoint()).unset("BROKER_LEASE_SECONDS");
    let (doomed, caller) = scene.place.start(run).await;
    let uploaded = caller.upload("/a.csv", "a").await;
    proxy.wait_for_calls(1).await;
    let mut other = scene.serve(cloud::endpoint()).spawn();
    let url = other.ready().await;
    kill(doomed).await;
    let killed = Instant::now();

    let again = crate::support::serving::Caller::new(url, caller.key.clone());
    again.upload("/b.csv", "b").await;
    let events = scene.notifications(1).await;
    assert_eq!(
        events[0]["subject"], "/b.csv",
        "the dead one's lease holds: {events:#?}"
    );
    assert_eq!(scene.waiting().await, 1);
    let messages = scene.inbox.receive_until(1, MINUTE).await;
    let events: Vec<_> = messages.iter().map(|message| message.json()).collect();
    assert_eq!(events[0]["data"]["upload_id"], id(&uploaded), "{events:#?}");
    let took = killed.elapsed();
    assert!(took > HALF_A_LEASE && took < MINUTE, "{took:?}");
    eventually("it is marked", async || scene.waiting().await == 0).await;
    assert_eq!(scene.inbox.waiting().await, 0, "each was sent once");
    other.stop("TERM").await.ok();
}

/// The replica is killed after SNS accepted the event and before the row is updated. The event is
/// sent a second time with the same id.
#[tokio::test]
async fn event_of_replica_killed_after_publishing_is_sent_again() {
    let scene = Scene::new(Inbox::new().await).await;
    let mut proxy = SnsProxy::new(|_| CallAction::WithholdResponse);
    let run = scene.serve(proxy.endpoint());
    let (doomed, caller) = scene.place.start(run).await;
    caller.upload("/a.csv", "a").await;
    proxy.wait_for_calls(1).await;
    kill(doomed).await;
    let first = scene.notifications(1).await.remove(0);
    assert_eq!(scene.waiting().await, 1, "not marked");

    let mut next = scene.serve(cloud::endpoint()).spawn();
    next.ready().await;
    let second = scene.notifications(1).await.remove(0);
    assert_eq!(second, first, "the same event, the same id");
    eventually("it is marked", async || scene.waiting().await == 0).await;
    next.stop("TERM").await.ok();
}

/// Two replicas send 600 events of 60 uploads to a FIFO topic. One of them dies meanwhile, with
/// events that SNS has accepted but whose rows are not updated. Each event arrives, and the events
/// of each upload arrive in order.
#[tokio::test]
async fn events_arrive_in_order_when_one_of_two_replicas_is_killed() {
    let scene = Scene::new(Inbox::fifo().await).await;
    let sql = database::connect(scene.place.database.url()).await;
    write_chains(&sql, Utc::now() - TimeDelta::hours(1), 60, 10).await;
    // Its first lease takes six calls: five are answered, the last one is not.
    let calls = AtomicUsize::new(0);
    let mut proxy = SnsProxy::new(move |_| {
        if calls.fetch_add(1, Ordering::SeqCst) < 5 {
            CallAction::Forward
        } else {
            CallAction::WithholdResponse
        }
    });
    // Long enough to see that the dead replica holds leases.
    let serve = |endpoint| scene.serve(endpoint).set("BROKER_LEASE_SECONDS", 10);
    let mut doomed = serve(proxy.endpoint()).spawn();
    doomed.ready().await;
    proxy.wait_for_calls(1).await;
    let mut other = serve(cloud::endpoint()).spawn();
    proxy.wait_for_calls(6).await;
    other.ready().await;
    kill(doomed).await;

    eventually("what the dead one has not claimed is sent", async || {
        let held = "SELECT count(*) FROM events WHERE published_at IS NULL AND NOT EXISTS \
                    (SELECT 1 FROM events dead WHERE dead.upload_id = events.upload_id \
                    AND dead.published_at IS NULL AND dead.leased_until > now())";
        scene.number(held).await == 0
    })
    .await;
    assert!(scene.waiting().await > 0, "the dead one held nothing");
    eventually("the rest is sent", async || scene.waiting().await == 0).await;
    other.stop("TERM").await.ok();

    let mut last: BTreeMap<String, i32> = BTreeMap::new();
    let mut ids = std::collections::BTreeSet::new();
    // SNS removes duplicates by id, so that even the repeated events arrive once.
    for event in scene.notifications(600).await {
        let sequence: i32 = event["sequence"]
            .as_str()
            .expect("text")
            .parse()
            .expect("a number");
        let before = last
            .insert(event["subject"].to_string(), sequence)
            .unwrap_or(0);
        assert_eq!(sequence, before + 1, "out of order: {event:#}");
        assert!(ids.insert(event["id"].to_string()), "twice: {event:#}");
    }
    assert_eq!(ids.len(), 600);
}

/// A replica that is asked to stop releases its leases, so that no other replica has to wait for
/// them.
#[tokio::test]
async fn stopped_replica_releases_its_leases() {
    let scene = Scene::new(Inbox::new().await).await;
    let sql = database::connect(scene.place.database.url()).await;
    write_chains(&sql, Utc::now() - TimeDelta::hours(1), 100, 1).await;
    let mut blocked_s3 = crate::support::blocked_gate::BlockedGate::new(cloud::address()).await;
    let mut leaving = scene.serve(blocked_s3.endpoint()).spawn();
    leaving.ready().await;
    blocked_s3.request_waits().await;
    leaving.signal("TERM");
    leaving.wait_for_log("SIGTERM: stopping").await;
    blocked_s3.release();
    leaving.wait().await.ok();
    let held = "SELECT count(*) FROM events WHERE published_at IS NULL AND holder IS NOT NULL";
    assert_eq!(scene.number(held).await, 0, "a lease outlives the stop");
    assert!(scene.waiting().await > 0, "nothing was left to give back");

    let mut next = scene.serve(cloud::endpoint()).spawn();
    next.ready().await;
    let notifications = scene.notifications(100).await;
    eventually("all are marked", async || scene.waiting().await == 0).await;
    assert_eq!(
        (notifications.len(), scene.inbox.waiting().await),
        (100, 0),
        "each was sent once"
    );
    next.stop("TERM").await.ok();
}
