//! Batches of acknowledges while Postgres or S3 fails.

use reqwest::StatusCode;
use serde_json::json;

use super::acknowledge::{acknowledge, entries, uploaded_sessions};
use super::{results, statuses};
use crate::support::app::{App, Setup};
use crate::support::faulty_proxy::{FaultyProxy, Mode};
use crate::support::gate::Gate;
use crate::support::reply::Reply;
use crate::support::store::Store;

const FAULT: &str =
    "HTTP/1.1 500 Internal Server Error\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

/// A broker that reaches its store through a door; clients reach the store directly.
async fn app_behind_door(setup: Setup) -> (App, Store, FaultyProxy) {
    let store = Store::start().await;
    let proxy = FaultyProxy::new(store.addr());
    let setup = setup.store(&store).s3(proxy.endpoint());
    let setup = setup.set("BROKER_S3_PUBLIC_ENDPOINT", store.endpoint());
    (setup.start().await, store, proxy)
}

fn named(folder: &str, count: usize) -> Vec<String> {
    (0..count).map(|n| format!("/{folder}/{n}")).collect()
}

/// The number of HeadObject calls so far.
async fn heads(app: &App) -> f64 {
    let mut sum = 0.0;
    for outcome in ["ok", "missing", "refused", "failed"] {
        let name = format!(
            r#"s3_call_duration_seconds_count{{operation="HeadObject",outcome="{outcome}"}}"#
        );
        sum += app.metric(&name).await;
    }
    sum
}

#[tokio::test]
async fn batch_gets_one_503_after_few_attempts_when_s3_hangs() {
    let store = Store::start().await;
    let gate = Gate::new(store.addr());
    let app = Setup::new()
        .store(&store)
        .s3(gate.endpoint())
        .set("BROKER_AWS_TIMEOUT_SECONDS", "1.5")
        .set("BROKER_AWS_ATTEMPT_TIMEOUT_SECONDS", "1")
        .set("BROKER_AWS_CONNECT_TIMEOUT_SECONDS", "1")
        .set("BROKER_DB_POOL_SIZE", "2")
        .start()
        .await;
    let entries: Vec<_> = (named("a", 300).iter())
        .map(|path| json!({"path": path}))
        .collect();
    let made = results(super::create_batch(&app, &entries).await);
    let sessions: Vec<_> = made.iter().map(|made| made["upload"].clone()).collect();
    gate.block();
    let all = super::acknowledge::entries(&sessions);
    let asked = acknowledge(&app, &all);
    let meanwhile = async {
        gate.request_waits().await;
        // No database connection is held while the broker waits for S3.
        app.create("/meanwhile", json!({})).await;
    };
    let (reply, ()) = tokio::join!(asked, meanwhile);
    assert!(reply.header("retry-after").is_some(), "{reply:#?}");
    reply.expect_problem(503, "service-unavailable");
    let tried = heads(&app).await;
    assert!((1.0..80.0).contains(&tried), "{tried} of 300 were tried");
    gate.restore();
    assert_eq!(app.read(&sessions[0]).await["status"], "Pending");
}

#[tokio::test]
async fn batch_skips_remaining_entries_and_reports_done_ones_when_s3_fails() {
    let (app, store, proxy) = app_behind_door(Setup::new()).await;
    // Each success resets the count of failures in a row, so few successes keep the number of tried
    // entries below the asserted one in any order of the answers.
    let mut paths = named("good", 2);
    paths.extend(named("bad", 68));
    paths.extend(named("late", 30));
    let sessions = uploaded_sessions(&app, paths).await;
    proxy.set_mode(Mode::RespondToMatching(store.addr(), "/bad/", FAULT));
    let results = results(acknowledge(&app, &entries(&sessions)).await);
    let statuses = statuses(&results);
    assert_eq!(statuses[..2], [200; 2], "{results:#?}");
    assert_eq!(statuses[2..], [503; 98], "{results:#?}");
    for result in &results[2..] {
        assert_eq!(
            result["problem"]["code"], "service-unavailable",
            "{result:#}"
        );
    }
    let detail = results[99]["problem"]["detail"]
        .as_str()
        .unwrap_or_default();
    assert!(
        detail.contains("S3") && detail.contains("not tried"),
        "{detail}"
    );
    let tried = heads(&app).await;
    assert!(tried < 60.0, "{tried} of 100 were tried");
    // The skipped entries are acknowledged when the batch is sent again.
    proxy.set_mode(Mode::Forward(store.addr()));
    let again = super::results(acknowledge(&app, &entries(&sessions)).await);
    assert_eq!(super::statuses(&again), vec![200; 100], "{again:#?}");
}

#[tokio::test]
async fn s3_fault_of_one_upload_does_not_affect_other_entries() {
    let (app, store, proxy) = app_behind_door(Setup::new()).await;
    let mut paths = named("bad", 1);
    paths.extend(named("good", 40));
    let sessions = uploaded_sessions(&app, paths).await;
    proxy.set_mode(Mode::RespondToMatching(store.addr(), "/bad/", FAULT));
    let results = results(acknowledge(&app, &entries(&sessions)).await);
    let statuses = statuses(&results);
    assert_eq!(statuses[0], 503, "{results:#?}");
    assert_eq!(statuses[1..], [200; 40], "{results:#?}");
}

#[tokio::test]
async fn slow_entry_is_reported_before_the_request_deadline() {
    let setup = Setup::new().set("BROKER_REQUEST_TIMEOUT_SECONDS", "5");
    let (app, store, proxy) = app_behind_door(setup).await;
    let mut paths = named("slow", 1);
    paths.extend(named("good", 5));
    let sessions = uploaded_sessions(&app, paths).await;
    proxy.set_mode(Mode::StallMatching(store.addr(), "/slow/"));
    let results = results(acknowledge(&app, &entries(&sessions)).await);
    let statuses = statuses(&results);
    assert_eq!(statuses, [503, 200, 200, 200, 200, 200], "{results:#?}");
    assert_eq!(results[0]["problem"]["code"], "overloaded", "{results:#?}");
}

#[tokio::test]
async fn batch_gets_one_503_when_pool_is_exhausted_or_postgres_is_unavailable() {
    let app = Setup::new()
        .set("BROKER_DB_POOL_SIZE", "1")
        .set("BROKER_DB_POOL_WAIT_SECONDS", "1")
        .start()
        .await;
    let sessions = uploaded_sessions(&app, named("a", 20)).await;
    let held = app.broker.connections.pool.get().await;
    let ask = || {
        let body = json!({"acknowledge": entries(&sessions)});
        let path = "/uploads/batch/acknowledge";
        Reply::of(app.request(reqwest::Method::POST, path).json(&body))
    };
    ask().await.expect_problem(503, "overloaded");
    drop(held);
    ask().await.expect(StatusCode::OK);
    app.broker.connections.pool.close();
    ask().await.expect_problem(503, "service-unavailable");
}
