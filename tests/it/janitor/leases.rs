//! Leases on rows and back-off: which janitor handles which row, and when.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use upload_broker::janitor::{self, Round};

use super::{URL_IS_OVER, head_requests, long_ago, overdue_rows, pending_rows};
use crate::support::app::{App, Setup};
use crate::support::blocked_gate::BlockedGate;
use crate::support::cloud;
use crate::support::database::connect;
use crate::support::gate::Gate;
use crate::support::observe::eventually;
use crate::support::serving::Place;
use crate::support::shared;

#[tokio::test]
async fn two_concurrent_janitors_handle_each_overdue_row_once() {
    let place = Place::new().await;
    let client = connect(place.database.url()).await;
    pending_rows(&client, &place.bucket.name, "bulk", 450, long_ago()).await;
    let janitor = || place.run(&["janitor", "--only", "overdue"]).finish();
    let (one, other) = tokio::join!(janitor(), janitor());
    let ids = |out: &str| -> Vec<String> {
        let lines = out.lines().map(serde_json::from_str::<Value>);
        let ids = lines.map(|line| line.expect("a line of JSON")["upload_id"].to_string());
        ids.collect()
    };
    let (one, other) = (ids(&one.ok().out), ids(&other.ok().out));
    assert_eq!(one.len() + other.len(), 450, "each row once");
    let all: BTreeSet<_> = one.iter().chain(&other).collect();
    assert_eq!(all.len(), 450, "every row");
}

#[tokio::test]
async fn failed_rows_wait_for_their_back_off_and_do_not_delay_other_rows() {
    let gate = Gate::new(cloud::address());
    let app = Setup::new().s3(gate.endpoint()).start().await;
    overdue_rows(&app, "first", 130).await;
    gate.close().await;
    let round = app.janitor().await;
    let all_failed = Round {
        checked: 130,
        failed: 130,
        ..Round::default()
    };
    assert_eq!(round, all_failed, "every row had its turn");
    gate.restore();

    let end = app.clock.now() - URL_IS_OVER;
    pending_rows(&app.sql().await, &app.bucket.name, "second", 3, end).await;
    let round = app.janitor().await;
    assert_eq!((round.checked, round.expired), (3, 3), "the others first");
    app.advance(TimeDelta::seconds(30));
    let round = app.janitor().await;
    assert_eq!((round.checked, round.expired), (130, 130), "{round:?}");
    let failed = app.metric(r#"janitor_outcomes_total{outcome="failed"}"#);
    assert_eq!(failed.await, 130.0);
}

#[tokio::test]
async fn back_off_doubles_with_each_failure_up_to_fifteen_minutes() {
    let gate = Gate::new(cloud::address());
    let app = Setup::new().s3(gate.endpoint()).start().await;
    let session = app.create("a.csv", json!({})).await;
    app.advance(URL_IS_OVER);
    gate.close().await;
    let client = app.sql().await;
    let mut longest = TimeDelta::zero();
    for attempt in 1..=6_i32 {
        assert_eq!(app.janitor().await.failed, 1, "attempt {attempt}");
        let row = "SELECT janitor_due_at, janitor_attempts FROM uploads WHERE status = 'Pending'";
        let row = client.query_one(row, &[]).await.expect("the row");
        let due: std::time::SystemTime = row.get(0);
        let wait = DateTime::<Utc>::from(due) - app.clock.now();
        assert_eq!(row.get::<_, i32>(1), attempt);
        let doubled =
            (TimeDelta::seconds(30) * 2_i32.pow(attempt as u32 - 1)).min(TimeDelta::minutes(15));
        assert!(wait <= doubled && wait >= doubled / 2, "{attempt}: {wait}");
        longest = longest.max(wait);
        app.advance(wait);
    }
    assert!(longest > TimeDelta::minutes(7), "{longest}");
    gate.restore();
    assert_eq!(app.janitor().await.expired, 1);
    assert_eq!(app.event_types(&session).await, ["upload.expired"]);
}

#[tokio::test]
async fn row_of_dead_janitor_is_taken_over_when_its_lease_ends() {
    let app = App::start().await;
    let session = app.create("a.csv", json!({})).await;
    app.put(&session, "a").await.expect_ok();
    app.advance(URL_IS_OVER);
    // This is what a process leaves that dies between its lease and its check.
    let claim = format!(
        "UPDATE uploads SET holder = gen_random_uuid(), held_for = 'janitor', \
         leased_until = '{}', janitor_attempts = 1",
        app.clock.now() + TimeDelta::seconds(30)
    );
    app.sql().await.execute(&claim, &[]).await.expect("a claim");
    let before = head_requests(&app).await;
    assert_eq!(app.janitor().await, Round::default(), "it is another one's");
    assert_eq!(head_requests(&app).await, before, "S3 is not asked");
    app.advance(TimeDelta::seconds(30));
    assert_eq!(app.janitor().await.uploaded, 1);
    assert_eq!(app.event_types(&session).await, ["dataset.uploaded"]);
}

/// While S3 is slow the janitor renews its lease past its first end, so that no other janitor takes
/// the row.
#[tokio::test]
async fn running_janitor_renews_its_lease_and_keeps_its_row() {
    let place = Place::new().await;
    let client = connect(place.database.url()).await;
    pending_rows(&client, &place.bucket.name, "slow", 1, long_ago()).await;
    let mut door = BlockedGate::new(cloud::address()).await;
    let janitor = |endpoint: String| {
        let run = place.run(&["janitor", "--only", "overdue"]);
        let run = run.set("BROKER_LEASE_SECONDS", 3);
        run.set("AWS_ENDPOINT_URL_S3", endpoint)
    };
    let slow = janitor(door.endpoint()).spawn();
    door.request_waits().await;
    let end = "SELECT leased_until FROM uploads";
    let first = client.query_one(end, &[]).await.expect("the row");
    let first: std::time::SystemTime = first.get(0);
    eventually("its first lease would be over", async || {
        let renewed = "SELECT leased_until > $1 AND now() > $1 FROM uploads";
        let row = client.query_one(renewed, &[&first]).await.expect("the row");
        row.get(0)
    })
    .await;
    let other = janitor(cloud::endpoint()).finish().await.ok();
    assert_eq!(other.out, "", "it is another one's");
    door.release();
    let slow = slow.wait().await.ok();
    assert_eq!(slow.out.lines().count(), 1, "{slow:#?}");
}

/// A janitor that was paused for longer than its lease finds its row leased to another janitor and
/// changes nothing.
#[tokio::test]
async fn janitor_that_lost_its_lease_leaves_row_unchanged() {
    let place = Place::new().await;
    let client = connect(place.database.url()).await;
    pending_rows(&client, &place.bucket.name, "lost", 1, long_ago()).await;
    let mut door = BlockedGate::new(cloud::address()).await;
    let run = place.run(&["janitor", "--only", "overdue"]);
    let run = run.set("AWS_ENDPOINT_URL_S3", door.endpoint());
    let paused = run.spawn();
    door.request_waits().await;
    // Another janitor holds the lease by now.
    let taken = "UPDATE uploads SET holder = gen_random_uuid()";
    client.execute(taken, &[]).await.expect("a claim");
    door.release();
    let ended = paused.wait().await.ok();
    assert!(ended.out.contains(r#""outcome":"left""#), "{ended:#?}");
    let row = "SELECT status, sequence, holder IS NOT NULL FROM uploads";
    let row = client.query_one(row, &[]).await.expect("the row");
    let row: (String, i32, bool) = (row.get(0), row.get(1), row.get(2));
    assert_eq!(row, ("Pending".to_owned(), 0, true));
}

#[tokio::test]
async fn stopped_round_releases_rows_it_has_not_started() {
    let mut door = BlockedGate::new(cloud::address()).await;
    let app = Setup::new().s3(door.endpoint()).start().await;
    overdue_rows(&app, "bulk", 20).await;
    let stop = CancellationToken::new();
    let (broker, token) = (Arc::clone(&app.broker), stop.clone());
    let round = shared().spawn(async move { janitor::run_once(&broker, &token).await });
    door.request_waits().await;
    stop.cancel();
    door.release();
    let round = round.await.expect("the janitor's task").expect("a round");
    assert!(
        (1..=4).contains(&round.checked),
        "what was begun: {round:?}"
    );
    let client = app.sql().await;
    let free = "SELECT count(*) FROM uploads WHERE status = 'Pending' \
                AND holder IS NULL AND janitor_due_at IS NULL AND janitor_attempts = 0";
    let row = client.query_one(free, &[]).await.expect("a count");
    assert_eq!(row.get::<_, i64>(0), 20 - round.checked as i64);
    assert_eq!(app.janitor().await.checked, 20 - round.checked);
}
