//! Concurrent requests share a database statement, and nothing else: each gets its own answer.
//!
//! A lock on the table delays the first writes, so that the other requests gather behind them.

use std::sync::Arc;

use futures::future::join_all;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use crate::support::app::{App, Setup, id};
use crate::support::observe::eventually;
use crate::support::reply::Reply;

/// More than the pool has connections, so that most requests gather.
const CALLERS: usize = 60;

/// A broker whose statements wait longer than a loaded machine takes to send all requests.
async fn start() -> App {
    let patience = 120;
    Setup::new()
        .set("BROKER_DB_STATEMENT_TIMEOUT_SECONDS", patience)
        .set("BROKER_REQUEST_TIMEOUT_SECONDS", patience)
        .start()
        .await
}

/// Sends all `requests` while no write is possible, until `callers` are in flight; then runs
/// `meanwhile`, and returns the answers in order.
async fn send_concurrently(
    app: &App,
    callers: usize,
    requests: Vec<reqwest::RequestBuilder>,
    meanwhile: impl Future<Output = ()>,
) -> Vec<Reply> {
    let mut client = app.sql().await;
    let lock = client.transaction().await.expect("a transaction");
    let table = "LOCK TABLE uploads IN SHARE ROW EXCLUSIVE MODE";
    lock.batch_execute(table).await.expect("a lock");
    let here = async {
        eventually("all callers are at the broker", async || {
            // The request that reads the metric is in flight too.
            app.metric("http_requests_in_flight").await > callers as f64
        })
        .await;
        eventually("a write waits for the lock", async || {
            app.waiting_for_locks().await > 0
        })
        .await;
        meanwhile.await;
        lock.rollback().await.expect("a rollback");
    };
    tokio::join!(join_all(requests.into_iter().map(Reply::of)), here).0
}

fn creates(app: &App, paths: impl Iterator<Item = String>) -> Vec<reqwest::RequestBuilder> {
    paths
        .map(|path| {
            app.request(Method::POST, "/uploads")
                .json(&json!({"path": path}))
        })
        .collect()
}

fn numbered(count: usize) -> impl Iterator<Item = String> {
    (0..count).map(|number| format!("/data/{number}.csv"))
}

async fn statements(app: &App, verb: &str) -> f64 {
    let name = format!(r#"group_members_count{{verb="{verb}"}}"#);
    app.metric(&name).await
}

async fn refuse_in_table(app: &App, condition: &str) {
    let sql = format!("ALTER TABLE uploads ADD CONSTRAINT refused CHECK (NOT ({condition}))");
    let client = app.sql().await;
    client.batch_execute(&sql).await.expect("a constraint");
}

#[tokio::test]
async fn concurrent_creates_share_statements_and_get_their_own_uploads() {
    let app = start().await;
    app.upload("/data/7.csv", "taken", json!({})).await;
    let before = statements(&app, "create").await;
    let requests = creates(&app, numbered(CALLERS));
    let replies = send_concurrently(&app, CALLERS, requests, async {}).await;
    for (number, reply) in replies.into_iter().enumerate() {
        if number == 7 {
            reply.expect_problem(409, "dataset-exists");
            continue;
        }
        let session = reply.expect(StatusCode::CREATED);
        let path = format!("/data/{number}.csv");
        assert_eq!(session["path"], path, "{session:#}");
        assert_eq!(app.read(&session).await["path"], path);
    }
    let shared = statements(&app, "create").await - before;
    assert!(shared < 20.0, "{CALLERS} creates took {shared} statements");
}

#[tokio::test]
async fn sequential_creates_use_one_statement_each() {
    let app = start().await;
    for path in numbered(5) {
        app.create(&path, json!({})).await;
    }
    assert_eq!(statements(&app, "create").await, 5.0);
}

#[tokio::test]
async fn row_rejected_by_table_fails_only_its_create() {
    let app = start().await;
    refuse_in_table(&app, "path = '/data/13.csv'").await;
    let requests = creates(&app, numbered(CALLERS));
    let replies = send_concurrently(&app, CALLERS, requests, async {}).await;
    for (number, reply) in replies.into_iter().enumerate() {
        match number {
            13 => drop(reply.expect_problem(500, "internal-error")),
            _ => drop(reply.expect(StatusCode::CREATED)),
        }
    }
    assert!(statements(&app, "create").await < 20.0);
}

/// A deadlock of one row does not concern the other rows, whatever language Postgres reports it in.
#[tokio::test]
async fn row_in_deadlock_fails_only_its_create() {
    let app = start().await;
    let catch = "CREATE FUNCTION catch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
         IF NEW.path = '/data/13.csv' THEN \
         RAISE EXCEPTION 'Verklemmung entdeckt' USING ERRCODE = '40P01'; END IF; \
         RETURN NEW; END $$; \
         CREATE TRIGGER catch BEFORE INSERT ON uploads FOR EACH ROW EXECUTE FUNCTION catch()";
    app.sql()
        .await
        .batch_execute(catch)
        .await
        .expect("a trigger");
    let requests = creates(&app, numbered(CALLERS));
    let replies = send_concurrently(&app, CALLERS, requests, async {}).await;
    for (number, reply) in replies.into_iter().enumerate() {
        match number {
            13 => drop(reply.expect_problem(503, "service-unavailable")),
            _ => drop(reply.expect(StatusCode::CREATED)),
        }
    }
}

#[tokio::test]
async fn terminated_connection_fails_its_batch_and_retries_succeed() {
    let app = start().await;
    let requests = creates(&app, numbered(CALLERS));
    let kill = async {
        let sql = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                   WHERE datname = current_database() AND wait_event_type = 'Lock'";
        app.sql().await.batch_execute(sql).await.expect("a kill");
    };
    let replies = send_concurrently(&app, CALLERS, requests, kill).await;
    let mut failed = 0;
    for (number, reply) in replies.into_iter().enumerate() {
        if reply.status == StatusCode::CREATED {
            continue;
        }
        failed += 1;
        reply.expect_problem(503, "service-unavailable");
        app.create(&format!("/data/{number}.csv"), json!({})).await;
    }
    assert!(failed > 0, "no write was killed");
}

#[tokio::test]
async fn disconnected_caller_does_not_affect_its_batch() {
    let app = start().await;
    let mut requests = creates(&app, numbered(CALLERS));
    let impatient = requests.split_off(CALLERS / 2);
    // They are sent once the table is locked, or they would be answered earlier.
    let locked = Arc::new(Semaphore::new(0));
    let impatient: Vec<_> = (impatient.into_iter())
        .map(|request| {
            let locked = Arc::clone(&locked);
            tokio::spawn(async move {
                let _sent = locked.acquire().await;
                request.send().await
            })
        })
        .collect();
    let send = async {
        eventually("a write waits for the lock", async || {
            app.waiting_for_locks().await > 0
        })
        .await;
        locked.add_permits(CALLERS);
    };
    let hang_up = async { impatient.iter().for_each(|request| request.abort()) };
    let (replies, ()) = tokio::join!(send_concurrently(&app, CALLERS, requests, hang_up), send);
    for reply in replies {
        reply.expect(StatusCode::CREATED);
    }
    eventually("what was asked for is written all the same", async || {
        let all = app.get("/uploads?limit=1000").await.expect(StatusCode::OK);
        all.as_array().is_some_and(|all| all.len() == CALLERS)
    })
    .await;
}

async fn uploaded_session(app: &App, path: &str) -> Value {
    let session = app.create(path, json!({})).await;
    app.put(&session, path.to_owned()).await.expect_ok();
    session
}

fn acknowledge(app: &App, session: &Value) -> reqwest::RequestBuilder {
    app.request(
        Method::POST,
        &format!("/uploads/{}/acknowledge", id(session)),
    )
}

/// Waits until `count` objects were examined: only the write of the acknowledges is left then.
async fn wait_for_heads(app: &App, count: usize) {
    let heads = r#"s3_call_duration_seconds_count{operation="HeadObject",outcome="ok"}"#;
    eventually("all objects are looked at", async || {
        app.metric(heads).await >= count as f64
    })
    .await;
}

#[tokio::test]
async fn concurrent_acknowledges_share_transactions_with_own_proofs_and_events() {
    let app = start().await;
    let sessions = join_all(numbered(CALLERS / 2).map(|path| {
        let app = &app;
        async move { uploaded_session(app, &path).await }
    }))
    .await;
    // Every upload twice, so that members of one batch concern the same row.
    let requests = (sessions.iter().chain(&sessions)).map(|session| acknowledge(&app, session));
    let replies = send_concurrently(
        &app,
        CALLERS,
        requests.collect(),
        wait_for_heads(&app, CALLERS),
    )
    .await;
    for (reply, session) in replies.into_iter().zip(sessions.iter().chain(&sessions)) {
        let upload = reply.expect(StatusCode::OK);
        assert_eq!(upload["id"], session["id"], "{upload:#}");
        let bytes = session["path"].as_str().expect("a path").len();
        assert_eq!(upload["object"]["size"], bytes, "{upload:#}");
    }
    for session in &sessions {
        assert_eq!(app.event_types(session).await, ["dataset.uploaded"]);
    }
    let shared = statements(&app, "acknowledge").await;
    assert!(
        shared < 20.0,
        "{CALLERS} acknowledges took {shared} transactions"
    );
}

#[tokio::test]
async fn proof_rejected_by_table_fails_only_its_acknowledge() {
    let app = start().await;
    refuse_in_table(&app, "path = '/data/3.csv' AND status = 'Uploaded'").await;
    let mut sessions = Vec::new();
    for path in numbered(10) {
        sessions.push(uploaded_session(&app, &path).await);
    }
    let requests = sessions.iter().map(|session| acknowledge(&app, session));
    let replies = send_concurrently(&app, 10, requests.collect(), wait_for_heads(&app, 10)).await;
    for (number, (reply, session)) in replies.into_iter().zip(&sessions).enumerate() {
        let status = if number == 3 {
            reply.expect_problem(500, "internal-error");
            "Pending"
        } else {
            reply.expect(StatusCode::OK);
            "Uploaded"
        };
        assert_eq!(app.read(session).await["status"], status);
    }
    assert!(
        statements(&app, "acknowledge").await < 10.0,
        "no statement was shared"
    );
}
