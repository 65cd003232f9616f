//! Who takes which row: leases, back-off, turns.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use upload_broker::janitor::{self, Round};

use super::{URL_IS_OVER, heads, long_ago, overdue_rows, pending_rows};
use crate::support::app::{App, Setup};
use crate::support::cloud;
use crate::support::database::connect;
use crate::support::gate::Gate;
use crate::support::hold::Hold;
use crate::support::serving::Place;
use crate::support::shared;

#[tokio::test]
async fn two_janitors_at_once_look_at_each_row_once() {
    let place = Place::new().await;
    let client = connect(place.database.url()).await;
    pending_rows(&client, &place.bucket.name, "bulk", 450, long_ago()).await;
    let janitor = || place.run(&["janitor", "--only", "overdue"]).end();
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
async fn what_fails_waits_behind_the_others() {
    let gate = Gate::new(cloud::address());
    let app = Setup::new().s3(gate.endpoint()).start().await;
    overdue_rows(&app, "first", 130).await;
    gate.cut().await;
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
async fn the_back_off_grows() {
    let gate = Gate::new(cloud::address());
    let app = Setup::new().s3(gate.endpoint()).start().await;
    let session = app.create("a.csv", json!({})).await;
    app.advance(URL_IS_OVER);
    gate.cut().await;
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
    assert_eq!(app.told(&session).await, ["upload.expired"]);
}

#[tokio::test]
async fn a_dead_janitors_row_is_taken_over_when_its_lease_ends() {
    let app = App::start().await;
    let session = app.create("a.csv", json!({})).await;
    app.put(&session, "a").await.expect_ok();
    app.advance(URL_IS_OVER);
    // As a process leaves it that dies between its claim and its look.
    let lease = app.clock.now() + TimeDelta::minutes(5);
    let claim = format!("UPDATE uploads SET janitor_due_at = '{lease}', janitor_attempts = 1");
    app.sql().await.execute(&claim, &[]).await.expect("a claim");
    let before = heads(&app).await;
    assert_eq!(app.janitor().await, Round::default(), "it is another one's");
    assert_eq!(heads(&app).await, before, "S3 is not asked");
    app.advance(TimeDelta::minutes(5));
    assert_eq!(app.janitor().await.uploaded, 1);
    assert_eq!(app.told(&session).await, ["dataset.uploaded"]);
}

/// To make an object of parts takes S3 minutes: meanwhile the row is nobody else's.
#[tokio::test]
async fn a_claim_holds_as_long_as_a_completion_may_take() {
    let mut door = Hold::new(cloud::address()).await;
    let app = Setup::new().s3(door.endpoint()).start().await;
    overdue_rows(&app, "slow", 1).await;
    let broker = Arc::clone(&app.broker);
    let first =
        shared().spawn(async move { janitor::run_once(&broker, &CancellationToken::new()).await });
    door.someone_waits().await;
    app.advance(TimeDelta::minutes(15));
    assert_eq!(app.janitor().await, Round::default(), "it is another one's");
    door.release();
    let round = first.await.expect("the janitor's task").expect("a round");
    assert_eq!(round.checked, 1, "{round:?}");
}

#[tokio::test]
async fn a_stop_gives_back_what_was_not_begun() {
    let mut door = Hold::new(cloud::address()).await;
    let app = Setup::new().s3(door.endpoint()).start().await;
    overdue_rows(&app, "bulk", 20).await;
    let stop = CancellationToken::new();
    let (broker, token) = (Arc::clone(&app.broker), stop.clone());
    let round = shared().spawn(async move { janitor::run_once(&broker, &token).await });
    door.someone_waits().await;
    stop.cancel();
    door.release();
    let round = round.await.expect("the janitor's task").expect("a round");
    assert!(
        (1..=4).contains(&round.checked),
        "what was begun: {round:?}"
    );
    let client = app.sql().await;
    let free = "SELECT count(*) FROM uploads WHERE status = 'Pending' \
                AND janitor_due_at IS NULL AND janitor_attempts = 0";
    let row = client.query_one(free, &[]).await.expect("a count");
    assert_eq!(row.get::<_, i64>(0), 20 - round.checked as i64);
    assert_eq!(app.janitor().await.checked, 20 - round.checked);
}
