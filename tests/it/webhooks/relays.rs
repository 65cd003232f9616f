//! Several relays: two at once, one that is too slow, one that is killed, one that stops.

use std::sync::Arc;

use chrono::TimeDelta;
use serde_json::json;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use upload_broker::notify::webhooks::Client;
use upload_broker::notify::webhooks::relay::{Limits, WebhookRelay};

use super::{Endpoint, add, assert_in_order, setup, shown, waiting};
use crate::support::app::{App, id};
use crate::support::database::connect;
use crate::support::observe::eventually;
use crate::support::receiver::{Answer, Receiver};
use crate::support::serving::Place;

/// An app whose own process sends no webhooks.
pub(super) async fn app_without_relay() -> App {
    let setup = setup().set("BROKER_ROLES", "http,janitor,events");
    setup.start().await
}

/// A relay beside the app.
pub(super) fn relay(app: &App) -> WebhookRelay {
    relay_with(app, Limits::default())
}

/// The same, with these limits.
pub(super) fn relay_with(app: &App, limits: Limits) -> WebhookRelay {
    WebhookRelay::new(
        app.broker.connections.pool.clone(),
        Client::new(true).expect("a client"),
        app.broker.rules.lease,
        app.clock.clone(),
        Arc::clone(&app.broker.metrics),
        Arc::new(Notify::new()),
        limits,
    )
}

/// Sends what is due, and returns the number of endpoints.
pub(super) async fn round(relay: &WebhookRelay) -> usize {
    let never = CancellationToken::new();
    relay.run_once(&never).await.expect("a round")
}

#[tokio::test]
async fn two_relays_send_each_event_once_and_in_order() {
    let receivers = [Receiver::new(), Receiver::new(), Receiver::new()];
    let app = app_without_relay().await;
    for receiver in &receivers {
        add(&app, &receiver.url(), &[]).await;
    }
    for n in 0..20 {
        let upload = app.upload(&format!("/{n}.csv"), "a", json!({})).await;
        let path = format!("/uploads/{}", id(&upload));
        app.delete(&path).await.expect_ok();
    }
    assert_eq!(waiting(&app).await, 3 * 60);
    let relays = [relay(&app), relay(&app)];
    eventually("nothing waits", async || {
        futures::future::join_all(relays.iter().map(round)).await;
        waiting(&app).await == 0
    })
    .await;
    for receiver in &receivers {
        let all = receiver.all();
        assert_eq!(all.len(), 60, "once each");
        assert_in_order(&all);
    }
}

/// The call of a relay takes longer than its lease. Another relay sends the event, and the first one
/// records nothing.
#[tokio::test]
async fn call_that_outlives_its_lease_only_repeats_an_event() {
    let receiver = Receiver::new();
    receiver.answer(Answer::Hold);
    let app = app_without_relay().await;
    let endpoint = add(&app, &receiver.url(), &[]).await;
    app.upload("/a.csv", "a", json!({})).await;
    let (slow, other) = (relay(&app), relay(&app));
    let slow = tokio::spawn(async move { round(&slow).await });
    receiver.wait_for(1).await;
    assert_eq!(round(&other).await, 0, "the endpoint is leased");
    app.advance(TimeDelta::seconds(31));
    receiver.answer(Answer::Status(500));
    assert_eq!(round(&other).await, 1);
    let failed = shown(&app, &endpoint).await;
    receiver.release();
    slow.await.expect("the slow one");
    assert_eq!(shown(&app, &endpoint).await, failed, "it recorded nothing");
    assert_eq!(waiting(&app).await, 1);
    receiver.answer(Answer::Status(200));
    app.advance(TimeDelta::hours(1));
    assert_eq!(round(&other).await, 1);
    let all = receiver.all();
    let ids: Vec<_> = all.iter().map(|one| one.header("webhook-id")).collect();
    assert_eq!(ids, [ids[0]; 3], "one id");
    assert_eq!(waiting(&app).await, 0);
}

/// A relay that is asked to stop finishes its call, records it, and releases the endpoint.
#[tokio::test]
async fn stopped_relay_records_its_calls_and_releases_the_endpoint() {
    let receiver = Receiver::new();
    receiver.answer(Answer::Hold);
    let app = app_without_relay().await;
    add(&app, &receiver.url(), &[]).await;
    for n in 0..6 {
        app.upload(&format!("/{n}.csv"), "a", json!({})).await;
    }
    let stop = CancellationToken::new();
    let (stopping, switch) = (relay(&app), stop.clone());
    let stopping = tokio::spawn(async move { stopping.run(stop).await });
    receiver.wait_for(4).await;
    switch.cancel();
    receiver.release();
    stopping.await.expect("the relay");
    assert_eq!(receiver.all().len(), 4, "no call was started");
    assert_eq!(waiting(&app).await, 2);
    assert_eq!(round(&relay(&app)).await, 1, "no lease in the way");
    assert_eq!(receiver.all().len(), 6, "each was sent once");
    assert_eq!(waiting(&app).await, 0);
}

/// The process is killed after the endpoint has accepted the event, and before that is recorded: a
/// lock holds the record.
#[tokio::test]
async fn event_of_relay_killed_before_its_record_is_sent_again_under_the_same_id() {
    let place = Place::new().await;
    let receiver = Receiver::new();
    let serve = || {
        (place.serve())
            .set("BROKER_WEBHOOKS_ALLOW_PRIVATE", true)
            .set("BROKER_LEASE_SECONDS", 3)
    };
    let (process, caller) = place.start(serve()).await;
    let url = receiver.url();
    let add = place.run(&["webhooks", "add", "--json", "--url", &url]);
    let add = add.set("BROKER_WEBHOOKS_ALLOW_PRIVATE", true);
    Endpoint::of(&add.finish().await.ok().json());
    receiver.answer(Answer::Hold);
    caller.upload("/a.csv", "a").await;
    receiver.wait_for(1).await;
    let (mut locker, client) = (
        connect(place.database.url()).await,
        connect(place.database.url()).await,
    );
    let lock = locker.transaction().await.expect("a transaction");
    lock.batch_execute("SELECT FROM webhook_deliveries FOR UPDATE")
        .await
        .expect("a lock");
    receiver.release();
    let blocked = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() \
                   AND wait_event_type = 'Lock' AND query LIKE '%webhook_deliveries%'";
    eventually("the record waits for the lock", async || {
        client.query(blocked, &[]).await.expect("sessions").len() == 1
    })
    .await;
    process.stop("KILL").await;
    let end = format!("SELECT pg_terminate_backend(pid) FROM ({blocked}) AS blocked");
    client.batch_execute(&end).await.expect("an end");
    lock.rollback().await.expect("a rollback");
    let waiting = "SELECT count(*) FROM webhook_deliveries";
    let left = client.query_one(waiting, &[]).await.expect("a count");
    assert_eq!(left.get::<_, i64>(0), 1, "nothing was recorded");

    let mut process = serve().spawn();
    process.ready().await;
    let all = receiver.wait_for(2).await;
    assert_eq!(all[0].header("webhook-id"), all[1].header("webhook-id"));
    assert_eq!(all[0].body, all[1].body);
    eventually("nothing waits", async || {
        let left = client.query_one(waiting, &[]).await.expect("a count");
        left.get::<_, i64>(0) == 0
    })
    .await;
    process.stop("TERM").await.ok();
    assert_eq!(receiver.all().len(), 2);
}
