//! `events replay`: events that subscribers have lost are sent once more.

use chrono::{SecondsFormat, TimeDelta, Utc};
use serde_json::{Value, json};

use super::{WAITING, number, write_chains};
use crate::support::app::{App, Setup, id, now};
use crate::support::cloud;
use crate::support::observe::{TIMEOUT, eventually};
use crate::support::process::{FinishedProcess, Run};

async fn replay(app: &App, args: &[&str]) -> FinishedProcess {
    let args: Vec<_> = ["events", "replay"].iter().chain(args).copied().collect();
    let run = Run::new(&args).set("DATABASE_URL", app.database.url());
    run.finish().await
}

/// The ids of the next `count` notifications.
async fn arrived_ids(app: &App, count: usize) -> Vec<Value> {
    let messages = app.inbox.receive_until(count, TIMEOUT).await;
    let messages = messages.iter().map(|message| message.json()["id"].clone());
    messages.collect()
}

async fn nothing_waits(app: &App) {
    eventually("nothing waits", async || number(app, WAITING).await == 0).await;
}

#[tokio::test]
async fn replayed_events_are_sent_again_with_the_same_ids() {
    let app = App::start().await;
    let first = app.upload("a.csv", "a", json!({})).await;
    let second = app.upload("b.csv", "b", json!({})).await;
    let mut sent = arrived_ids(&app, 2).await;
    nothing_waits(&app).await;

    let dry = replay(&app, &["--since", "1h", "--dry-run", "--json"])
        .await
        .ok();
    assert_eq!(dry.json()["events"], 2, "{dry:#?}");
    assert_eq!(dry.json()["dry_run"], true, "{dry:#?}");
    assert_eq!(number(&app, WAITING).await, 0, "a dry run changes nothing");

    let done = replay(&app, &["--since", "1h"]).await.ok();
    assert_eq!(done.out, "2 events are published again.\n");
    // The command's clock is the machine's, and the app's may be behind it.
    app.advance(TimeDelta::seconds(60));
    let mut again = arrived_ids(&app, 2).await;
    for ids in [&mut sent, &mut again] {
        ids.sort_by_key(ToString::to_string);
    }
    assert_eq!(again, sent);
    nothing_waits(&app).await;
    let late = app
        .metric("upload_uploaded_to_notified_seconds_count")
        .await;
    assert_eq!(late, 2.0, "a replay is no late notification");

    let one = replay(&app, &["--since", "1h", "--upload", id(&second)])
        .await
        .ok();
    assert_eq!(one.out, "1 events are published again.\n");
    app.advance(TimeDelta::seconds(60));
    let event = app.events(&second).await.remove(0);
    assert_eq!(arrived_ids(&app, 1).await, [event["id"].clone()]);
    let typed = replay(
        &app,
        &["--since", "1h", "--type", "dataset.uploaded", "--dry-run"],
    )
    .await;
    assert_eq!(typed.ok().out, "2 events would be published again.\n");
    drop(first);
}

/// Only events of that period are replayed, also those that were given up, but none that waits
/// already.
#[tokio::test]
async fn replay_selects_events_of_the_period_to_the_millisecond() {
    let app = Setup::new().without_topic().start().await;
    let start = now() - TimeDelta::hours(3);
    let start = start - TimeDelta::nanoseconds(i64::from(start.timestamp_subsec_nanos()));
    write_chains(&app.sql().await, start, 1, 6).await;
    let states = "UPDATE events SET published_at = now() WHERE sequence < 4; \
                  UPDATE events SET undeliverable_at = now(), last_error = 'big' WHERE sequence = 4";
    app.sql().await.batch_execute(states).await.expect("states");
    let text = |millis: i64| {
        let at = start + TimeDelta::milliseconds(millis);
        at.to_rfc3339_opts(SecondsFormat::Millis, true)
    };
    let before = "SELECT count(*) FROM events WHERE replayed_at IS NOT NULL";
    for (since, until, count) in [(0, 6, 4), (1, 3, 2), (2, 6, 2), (3, 4, 1), (4, 6, 0)] {
        let args = [
            "--since",
            &text(since),
            "--until",
            &text(until),
            "--dry-run",
            "--json",
        ];
        let said = replay(&app, &args).await.ok().json();
        assert_eq!(said["events"], count, "{since}..{until}: {said:#}");
    }
    assert_eq!(number(&app, before).await, 0);
    let said = replay(&app, &["--since", &text(1), "--json"])
        .await
        .ok()
        .json();
    assert_eq!(said["events"], 3, "{said:#}");
    assert_eq!(number(&app, before).await, 3);
    assert_eq!(number(&app, WAITING).await, 5);
    let again = replay(&app, &["--since", &text(1)]).await.ok();
    assert_eq!(
        again.out, "0 events are published again.\n",
        "they wait already"
    );

    eventually("their age is that of the request", async || {
        let oldest = app.metric("outbox_oldest_age_seconds").await;
        (10_000.0..12_000.0).contains(&oldest)
    })
    .await;
    let first_time = "UPDATE events SET published_at = now() WHERE sequence > 4";
    app.sql()
        .await
        .batch_execute(first_time)
        .await
        .expect("rows");
    eventually("their age is that of the request", async || {
        app.metric("outbox_oldest_age_seconds").await < 600.0
    })
    .await;
}

/// More than a batch, with several events in a millisecond. The events of each upload stay in
/// order.
#[tokio::test]
async fn replayed_events_of_each_upload_are_sent_in_order() {
    let app = Setup::new().without_topic().fifo().start().await;
    let start = now() - TimeDelta::hours(1);
    write_chains(&app.sql().await, start, 700, 2).await;
    // Both events of an upload happen in the same millisecond, and the second has the smaller id.
    let swap = "UPDATE events SET published_at = at; \
                UPDATE events late SET at = early.at, \
                id = (left(early.id::text, 13) || '-7000-8000-000000000000')::uuid \
                FROM events early WHERE early.upload_id = late.upload_id \
                AND early.sequence = 1 AND late.sequence = 2";
    app.sql().await.batch_execute(swap).await.expect("rows");
    let said = replay(&app, &["--since", "2h"]).await.ok();
    assert_eq!(said.out, "1400 events are published again.\n");
    assert_eq!(number(&app, WAITING).await, 1400);
    app.advance(TimeDelta::seconds(120));
    let relay = super::relay(&app, &cloud::endpoint());
    let order = "SELECT count(*) FROM events late JOIN events early USING (upload_id) \
                 WHERE early.sequence < late.sequence AND early.published_at IS NULL \
                 AND late.published_at IS NOT NULL";
    for _ in 0..4 {
        assert_eq!(super::round(&relay).await.published, 100);
        assert_eq!(number(&app, order).await, 0);
    }
}

#[tokio::test]
async fn bad_arguments_are_rejected_with_a_helpful_message() {
    let app = Setup::new().without_topic().start().await;
    let tomorrow = (Utc::now() + TimeDelta::days(1)).to_rfc3339_opts(SecondsFormat::Secs, true);
    let usage = 2;
    for (args, texts) in [
        (&[][..], &["--since"][..]),
        (
            &["--since", "yesterday"],
            &["yesterday", "2026-11-21T08:00:00Z", "2h"],
        ),
        (&["--since", "2026-11-21T08:00:00"], &["zone"]),
        (
            &["--since", "2h", "--until", "3h"],
            &["must be earlier than"],
        ),
        (&["--since", &tomorrow], &["must be earlier than"]),
        (
            &["--since", "2h", "--type", "dataset.upload"],
            &["unknown event type", "dataset.uploaded"],
        ),
        (&["--since", "2h", "--upload", "a.csv"], &["a.csv"]),
    ] {
        let ended = replay(&app, args).await.expect_failure(usage, texts);
        assert_eq!(ended.out, "", "{args:?}: {ended:#?}");
    }
    let help = replay(&app, &["--help"]).await.ok();
    assert!(help.out.contains("FIFO"), "{help:#?}");
    let away = Run::new(&["events", "replay", "--since", "2h"]);
    away.finish().await.expect_failure(78, &["DATABASE_URL"]);
}
