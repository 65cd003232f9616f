//! The walk over all open multipart uploads: it goes page by page, in one janitor at a time, starts
//! over after a stop, and gives up where S3 fails or refuses it.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use chrono::TimeDelta;
use futures::{StreamExt as _, stream};
use serde_json::Value;
use tokio_util::sync::CancellationToken;
use upload_broker::janitor::{self, AbortCounts, AbortOutcome, Report};

use super::{clear, try_clear};
use crate::support::app::{App, Setup};
use crate::support::cloud;
use crate::support::faulty_proxy::{FaultyProxy, Mode};
use crate::support::observe::eventually;
use crate::support::shared;
use crate::support::store::Store;

const DAY: TimeDelta = TimeDelta::days(1);

/// Opens `count` multipart uploads of another program, with a broker that may abort them, and
/// advances the clock by a day.
async fn bulk(setup: Setup, count: u32) -> App {
    let setup = setup.set("BROKER_STALE_MULTIPART_SECONDS", 3_600);
    let setup = setup.set("BROKER_STALE_MULTIPART_SCOPE", "bucket");
    let app = setup.start().await;
    let begun = stream::iter(0..count).map(async |number| {
        // Two uploads for each key, so that a page can end between them.
        app.bucket.begin(&format!("a/{:05}", number / 2)).await;
    });
    begun.buffer_unordered(16).collect::<()>().await;
    app.advance(DAY);
    app
}

fn ids(findings: &[Value]) -> BTreeSet<String> {
    let ids = findings.iter().map(|line| line["s3_upload_id"].to_string());
    ids.collect()
}

/// The number of pages of open multipart uploads that the app's broker has listed.
async fn list_requests(app: &App) -> f64 {
    let name = r#"s3_call_duration_seconds_count{operation="ListMultipartUploads",outcome="ok"}"#;
    app.metric(name).await
}

#[tokio::test]
async fn two_concurrent_walks_abort_each_upload_of_all_pages_once() {
    let store = Store::start().await;
    let app = bulk(Setup::new().store(&store), 1_050).await;
    let ((first, findings), (second, more)) =
        tokio::join!(try_clear(&app, false), try_clear(&app, false));
    let (first, second) = (first.expect("an answer"), second.expect("an answer"));
    let all = AbortOutcome::Completed(AbortCounts {
        aborted: 1_050,
        ..AbortCounts::default()
    });
    let ends = [first, second];
    assert!(ends.contains(&all), "{ends:?}");
    assert!(ends.contains(&AbortOutcome::Skipped), "{ends:?}");
    assert_eq!(findings.len() + more.len(), 1_050);
    assert_eq!(ids(&findings).len() + ids(&more).len(), 1_050, "none twice");
    assert_eq!(app.bucket.open_uploads().await, []);
    assert_eq!(list_requests(&app).await, 2.0);
}

#[tokio::test]
async fn stopped_walk_is_started_over_and_aborts_the_rest() {
    let store = Store::start().await;
    let app = bulk(Setup::new().store(&store), 30).await;
    let (stopped, first) = try_clear(&app, true).await;
    let stopped = stopped.expect("an answer");
    assert!(matches!(stopped, AbortOutcome::Stopped(_)), "{stopped:?}");
    assert!((1..30).contains(&first.len()), "{first:#?}");
    let rest = clear(&app).await;
    assert_eq!(first.len() + rest.len(), 30);
    assert_eq!(app.bucket.open_uploads().await, []);
}

#[tokio::test]
async fn walk_of_dead_janitor_is_taken_over_when_its_lease_ends() {
    let store = Store::start().await;
    let app = bulk(Setup::new().store(&store), 2).await;
    let until = app.clock.now() + TimeDelta::minutes(15);
    let row = format!(
        "INSERT INTO sweeps (bucket, started_at, holder, leased_until) \
         VALUES ('{}:multipart', '{until}', gen_random_uuid(), '{until}')",
        app.bucket.name
    );
    app.sql().await.execute(&row, &[]).await.expect("a walk");
    let (cleared, findings) = try_clear(&app, false).await;
    assert!(matches!(cleared, Ok(AbortOutcome::Skipped)), "{cleared:?}");
    assert_eq!(findings, Vec::<Value>::new());
    app.advance(TimeDelta::minutes(15));
    assert_eq!(clear(&app).await.len(), 2);
}

#[tokio::test]
async fn walk_stops_after_eight_failed_aborts_and_next_walk_finishes() {
    let store = Store::start().await;
    let proxy = Arc::new(FaultyProxy::new(store.addr()));
    let app = bulk(Setup::new().store(&store).s3(proxy.endpoint()), 30).await;
    let outcomes = Arc::new(Mutex::new(Vec::new()));
    let report = {
        let (outcomes, proxy) = (Arc::clone(&outcomes), Arc::clone(&proxy));
        // The first abort succeeds, then S3 answers 503.
        Report::to(move |finding| {
            outcomes.lock().unwrap().push(finding.outcome);
            proxy.set_mode(Mode::Respond(
                "HTTP/1.1 503 Slow Down\r\nconnection: close\r\n\r\n\
                 <Error><Code>SlowDown</Code><Message>why</Message></Error>",
            ));
        })
    };
    let (broker, now) = (Arc::clone(&app.broker), app.clock.now());
    let walk = shared().spawn(async move {
        let stop = CancellationToken::new();
        let bucket = broker.stores.buckets.common();
        janitor::abort_stale(&broker, bucket, now, &report, &stop).await
    });
    let cleared = walk.await.expect("a task").expect("an answer");
    let AbortOutcome::Stopped(counts) = cleared else {
        panic!("{cleared:?}");
    };
    assert_eq!(counts.failed, 8, "{counts:?}");
    assert!((1..=4).contains(&counts.aborted), "{counts:?}");
    let reported = outcomes.lock().unwrap().len() as u64;
    assert_eq!(reported, counts.failed + counts.aborted);
    let failed = app.metric(r#"stale_multipart_uploads_total{outcome="failed"}"#);
    assert_eq!(failed.await, 8.0);
    proxy.set_mode(Mode::Forward(store.addr()));
    let rest = clear(&app).await.len() as u64;
    // An abort whose request was dropped may still have arrived.
    assert!(
        (30 - counts.aborted - 3..=30 - counts.aborted).contains(&rest),
        "{rest} after {counts:?}"
    );
    assert_eq!(app.bucket.open_uploads().await, []);
}

#[tokio::test]
async fn walk_is_skipped_where_store_refuses_to_list_multipart_uploads() {
    let proxy = FaultyProxy::new(cloud::address());
    let app = Setup::new().s3(proxy.endpoint()).start().await;
    for answer in [
        "HTTP/1.1 501 Not Implemented\r\nconnection: close\r\n\r\n\
         <Error><Code>NotImplemented</Code><Message>why</Message></Error>",
        "HTTP/1.1 403 Forbidden\r\nconnection: close\r\n\r\n\
         <Error><Code>AccessDenied</Code><Message>why</Message></Error>",
    ] {
        proxy.set_mode(Mode::Respond(answer));
        let (cleared, _) = try_clear(&app, false).await;
        assert!(matches!(cleared, Ok(AbortOutcome::Refused)), "{cleared:?}");
    }
    proxy.set_mode(Mode::Respond(
        "HTTP/1.1 403 Forbidden\r\nconnection: close\r\n\r\n\
         <Error><Code>InvalidAccessKeyId</Code><Message>why</Message></Error>",
    ));
    let (cleared, _) = try_clear(&app, false).await;
    assert!(cleared.is_err(), "a fault, not a refusal: {cleared:?}");
    // The refusals have no lasting effect.
    proxy.set_mode(Mode::Forward(cloud::address()));
    assert_eq!(clear(&app).await, Vec::<Value>::new());
}

#[tokio::test]
async fn loop_aborts_stale_multipart_uploads_although_sweep_is_off() {
    let setup = Setup::new()
        .set("BROKER_STALE_MULTIPART_SECONDS", 3_600)
        .set("BROKER_STALE_MULTIPART_SCOPE", "bucket")
        .set("BROKER_STALE_MULTIPART_PERIOD_SECONDS", 3_600)
        .set("BROKER_SWEEP_PERIOD_SECONDS", 0)
        .set("BROKER_JANITOR_PERIOD_SECONDS", 1);
    let app = setup.start().await;
    eventually("the first walk", async || list_requests(&app).await == 1.0).await;
    app.bucket.begin("a.bin").await;
    app.advance(TimeDelta::seconds(3_700));
    eventually("the second one", async || list_requests(&app).await == 2.0).await;
    eventually("its end", async || {
        app.bucket.open_uploads().await.is_empty()
    })
    .await;
}
