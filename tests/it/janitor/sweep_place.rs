//! Progress and lease of a sweep: one process sweeps at a time, and the next one resumes at its
//! position.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use upload_broker::config::{Janitor, Section as _};
use upload_broker::janitor::{self, Report, StaleMultipartLoop, SweepLoop, SweepOutcome};

use super::{finding_lines, sweep, try_sweep};
use crate::support::app::{App, Setup};
use crate::support::observe::eventually;
use crate::support::shared;
use crate::support::store::Store;

/// Inserts the state that a process leaves that has compared everything up to `position` and then
/// dies.
async fn sweep_under_way(app: &App, position: &str, lease: TimeDelta) {
    let (bucket, until) = (&app.bucket.name, app.clock.now() + lease);
    let row = format!(
        "INSERT INTO sweeps (bucket, started_at, position, holder, leased_until) \
         VALUES ('{bucket}', '{until}', '{position}', gen_random_uuid(), '{until}')"
    );
    app.sql().await.execute(&row, &[]).await.expect("a sweep");
}

fn keys(findings: &[Value]) -> BTreeSet<String> {
    findings
        .iter()
        .map(|line| line["key"].to_string())
        .collect()
}

#[tokio::test]
async fn sweep_of_dead_process_is_resumed_when_its_lease_ends() {
    let app = App::start().await;
    for key in ["a", "k", "z"] {
        app.bucket.put(key, "x").await;
    }
    sweep_under_way(&app, "k", TimeDelta::minutes(5)).await;
    let (swept, findings) = try_sweep(&app, false).await;
    assert!(
        matches!(swept, Ok(SweepOutcome::LeasedElsewhere)),
        "{swept:?} {findings:?}"
    );
    app.advance(TimeDelta::minutes(5));
    let (swept, findings) = try_sweep(&app, false).await;
    let Ok(SweepOutcome::Completed {
        resumed_after,
        compared,
    }) = swept
    else {
        panic!("{swept:?}");
    };
    assert_eq!(resumed_after.as_deref(), Some("k"));
    assert_eq!((compared.objects, compared.rows), (1, 0), "{compared:?}");
    assert_eq!(
        finding_lines(&findings),
        ["object-without-row reported - z"]
    );
    // That sweep reached the end, so the next one begins at the start.
    assert_eq!(sweep(&app).await.len(), 3);
}

#[tokio::test]
async fn stopped_sweep_is_resumed_where_it_stopped() {
    let store = Store::start().await;
    let app = Setup::new().store(&store).start().await;
    for number in 0..1_100 {
        app.bucket.put(&format!("a/{number:04}"), "x").await;
    }
    let (swept, first) = try_sweep(&app, true).await;
    assert!(matches!(swept, Ok(SweepOutcome::Stopped(_))), "{swept:?}");
    assert!((1..=1_000).contains(&first.len()), "{}", first.len());
    let (swept, rest) = try_sweep(&app, false).await;
    let Ok(SweepOutcome::Completed { resumed_after, .. }) = swept else {
        panic!("{swept:?}");
    };
    assert!(
        resumed_after.is_some_and(|key| *key >= *"a/0900"),
        "a page is kept"
    );
    assert!(
        first.len() + rest.len() <= 1_101,
        "{} and {}",
        first.len(),
        rest.len()
    );
    let all: BTreeSet<_> = keys(&first).union(&keys(&rest)).cloned().collect();
    assert_eq!(all.len(), 1_100, "none is lost");
}

#[tokio::test]
async fn sweep_skips_rows_of_other_buckets_and_accepts_two_rows_of_one_key() {
    let app = App::start().await;
    app.upload("a", "bytes", json!({})).await;
    let elsewhere = "INSERT INTO uploads SELECT (jsonb_populate_record(u, \
         jsonb_build_object('id', gen_random_uuid(), 'bucket', 'another', 'path', '/b', 'key', 'b'))).* \
         FROM uploads u";
    let twice = "INSERT INTO uploads SELECT (jsonb_populate_record(u, \
         jsonb_build_object('id', gen_random_uuid(), 'path', '/a-too'))).* \
         FROM uploads u WHERE key = 'a'";
    let client = app.sql().await;
    client.execute(elsewhere, &[]).await.expect("a row");
    client.execute(twice, &[]).await.expect("a row");
    let (swept, findings) = try_sweep(&app, false).await;
    let Ok(SweepOutcome::Completed { compared, .. }) = swept else {
        panic!("{swept:?}");
    };
    assert_eq!(findings, Vec::<Value>::new());
    assert_eq!(
        (compared.objects, compared.rows, compared.other_buckets),
        (1, 3, 1)
    );
}

#[tokio::test]
async fn loop_sweeps_once_per_period() {
    let setup = Setup::new()
        .set("BROKER_SWEEP_PERIOD_SECONDS", 3_600)
        .set("BROKER_SWEEP_PAUSE_MILLISECONDS", 1)
        .set("BROKER_JANITOR_PERIOD_SECONDS", 1);
    let app = setup.start().await;
    let finished = async || app.metric(r#"sweeps_total{outcome="finished"}"#).await;
    eventually("the first sweep", async || finished().await == 1.0).await;
    app.bucket.put("stray", "x").await;
    assert_eq!(sweep_as_the_loop(&app).await, SweepOutcome::NotDue);
    app.advance(TimeDelta::seconds(3_600));
    eventually("the second one", async || finished().await == 2.0).await;
    let strays = app.metric(r#"sweep_findings_total{what="object-without-row"}"#);
    assert_eq!(strays.await, 1.0);
}

/// Asks as the loop does whether a sweep is due.
async fn sweep_as_the_loop(app: &App) -> SweepOutcome {
    let broker = Arc::clone(&app.broker);
    let ended_before = app.clock.now() - TimeDelta::seconds(3_600);
    let swept = shared().spawn(async move {
        let (report, stop) = (Report::discard(), CancellationToken::new());
        let bucket = broker.stores.buckets.common();
        janitor::sweep(
            &broker,
            bucket,
            ended_before,
            Duration::ZERO,
            &report,
            &stop,
        )
        .await
    });
    swept.await.expect("a task").expect("an answer")
}

#[test]
fn period_of_zero_turns_sweep_or_walk_off() {
    let settings = |sweep: &str, stale: &str| {
        let (sweep, stale) = (sweep.to_owned(), stale.to_owned());
        let lookup = move |name: &str| match name {
            "BROKER_SWEEP_PERIOD_SECONDS" => Some(sweep.clone()),
            "BROKER_STALE_MULTIPART_PERIOD_SECONDS" => Some(stale.clone()),
            _ => None,
        };
        Janitor::load(lookup).expect("settings")
    };
    let periods = |sweep: &str, stale: &str| {
        let settings = settings(sweep, stale);
        let walks = StaleMultipartLoop::from_settings(&settings).map(|walks| walks.period);
        (
            SweepLoop::from_settings(&settings).map(|sweeps| sweeps.period),
            walks,
        )
    };
    let day = Some(Duration::from_secs(86_400));
    assert_eq!(periods("0", "0"), (None, None));
    assert_eq!(periods("0", ""), (None, day), "one without the other");
    assert_eq!(periods("", "0"), (day, None));
    assert_eq!(periods("", ""), (day, day), "once a day by default");
}
