//! A request that waits for a quota, an idempotency key or a token keeps its database connection.
//! Enough connections must remain for other requests.

use std::ops::RangeInclusive;

use futures::future::join_all;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use upload_broker::usecases::tenants::Changes;

use super::scene::{Scene, quota};
use crate::support::app::{Setup, id};
use crate::support::observe::eventually;
use crate::support::reply::Reply;

const CALLERS: usize = 24;
const CONNECTIONS: usize = 8;
/// The maximum number of waiting transactions: half of the connections.
const MOST_WAITING: i64 = CONNECTIONS as i64 / 2;
const QUOTA: &str = "SELECT FROM quota_usage WHERE tenant = 'acme' FOR UPDATE";

/// Creates uploads with single requests, all at once.
async fn create_all_at_once(scene: &Scene) -> Vec<Value> {
    let paths: Vec<String> = (0..CALLERS).map(|n| format!("/{n}.csv")).collect();
    join_all((paths.iter()).map(|path| scene.create(path, json!({"size": 1})))).await
}

/// Creates an upload with an idempotency key, which has a transaction of its own.
async fn create_with_key(scene: &Scene, n: usize) -> Value {
    let body = json!({"path": format!("/{n}.csv"), "size": 1});
    let key = format!("once-{n}");
    let request = scene.acme.request(Method::POST, "/uploads").json(&body);
    let reply = Reply::of(request.header("idempotency-key", key)).await;
    reply.expect(StatusCode::CREATED)
}

async fn create_in_batch(scene: &Scene, n: usize, key: Option<String>) -> Value {
    let body = json!({"uploads": [{"path": format!("/{n}.csv"), "size": 1}]});
    let mut request = scene.acme.request(Method::POST, "/uploads/batch");
    if let Some(key) = key {
        request = request.header("idempotency-key", key);
    }
    let reply = Reply::of(request.json(&body)).await;
    let answer = reply.expect(StatusCode::OK);
    assert_eq!(answer["results"][0]["status"], 201, "{answer:#}");
    answer
}

/// Runs `calls` while the lock of `hold` is held and another tenant makes uploads, which must not
/// be affected.
async fn uploads_beside<T>(
    scene: &Scene,
    hold: &str,
    calls: impl Future<Output = T>,
    waiting: RangeInclusive<i64>,
) -> T {
    let (holder, observer) = (scene.app.sql().await, scene.app.sql().await);
    let begin = format!("BEGIN; {hold}");
    holder.batch_execute(&begin).await.expect("a lock");
    let count = "SELECT count(*) FROM pg_stat_activity \
         WHERE datname = current_database() AND wait_event_type = 'Lock'";
    let count = async || {
        let row = observer.query_one(count, &[]).await.expect("a count");
        row.get::<_, i64>(0)
    };
    let others = async {
        eventually("they wait", async || waiting.contains(&count().await)).await;
        let paths: Vec<String> = (0..CALLERS).map(|n| format!("/beside/{n}.csv")).collect();
        let uploads = (paths.iter()).map(|path| scene.app.upload(path, "x", json!({})));
        join_all(uploads).await;
        let now = count().await;
        assert!(waiting.contains(&now), "{now} wait");
        holder.batch_execute("ROLLBACK").await.expect("an end");
    };
    tokio::join!(calls, others).0
}

/// Few connections and long timeouts, because a lock is held until the other uploads are done.
fn few_connections() -> Setup {
    Setup::new()
        .set("BROKER_DB_POOL_SIZE", CONNECTIONS)
        .set("BROKER_DB_POOL_WAIT_SECONDS", 180)
        .set("BROKER_DB_STATEMENT_TIMEOUT_SECONDS", 180)
        .set("BROKER_REQUEST_TIMEOUT_SECONDS", 180)
}

#[tokio::test]
async fn requests_waiting_for_a_locked_quota_use_at_most_half_of_the_pool() {
    let scene = Scene::with(few_connections(), quota(Some(1_000), None)).await;
    let calls = join_all((0..CALLERS).map(async |n| match n % 3 {
        0 => create_with_key(&scene, n).await,
        1 => create_in_batch(&scene, n, None).await,
        _ => create_in_batch(&scene, n, Some(format!("batch-{n}"))).await,
    }));
    let made = uploads_beside(&scene, QUOTA, calls, MOST_WAITING..=MOST_WAITING).await;
    assert_eq!(scene.used().await, (made.len() as u64, made.len() as u64));
}

/// Not even creates that share a statement with them wait.
#[tokio::test]
async fn other_tenants_do_not_wait_for_a_locked_quota() {
    let scene = Scene::with(few_connections(), quota(Some(1_000), None)).await;
    let made = uploads_beside(&scene, QUOTA, create_all_at_once(&scene), 1..=MOST_WAITING).await;
    assert_eq!(scene.used().await, (made.len() as u64, made.len() as u64));
}

/// The same holds while the tenant's uploads are counted for its first quota.
#[tokio::test]
async fn other_tenants_do_not_wait_while_uploads_are_counted_for_a_first_quota() {
    let scene = Scene::with(few_connections(), Changes::default()).await;
    let hold = "SELECT FROM tenants WHERE name = 'acme' FOR UPDATE";
    let made = uploads_beside(&scene, hold, create_all_at_once(&scene), 1..=MOST_WAITING).await;
    assert_eq!(made.len(), CALLERS);
}

/// A first quota waits for a locked row and holds no other row meanwhile, so that not even its own
/// tenant is affected.
#[tokio::test]
async fn first_quota_waiting_for_a_row_does_not_delay_acknowledges() {
    let scene = Scene::with(few_connections(), Changes::default()).await;
    let held = scene.create("/held.csv", json!({"size": 1})).await;
    let sessions = create_all_at_once(&scene).await;
    for session in &sessions {
        scene.acme.put(session, "x").await.expect_ok();
    }
    let holder = scene.app.sql().await;
    let hold = format!(
        "BEGIN; SELECT FROM uploads WHERE id = '{}' FOR UPDATE",
        id(&held)
    );
    holder.batch_execute(&hold).await.expect("a lock");
    let set = scene.set(quota(Some(1_000), None));
    let meanwhile = async {
        eventually("the quota waits for the row", async || {
            scene.waiting_commands().await == 1
        })
        .await;
        let theirs = sessions
            .iter()
            .map(|session| scene.acme.acknowledge(session));
        for reply in join_all(theirs).await {
            reply.expect(StatusCode::OK);
        }
        let paths: Vec<String> = (0..CALLERS).map(|n| format!("/beside/{n}.csv")).collect();
        let others = (paths.iter()).map(|path| scene.app.upload(path, "x", json!({})));
        join_all(others).await;
        assert_eq!(scene.waiting_commands().await, 1, "the quota came early");
        holder.batch_execute("ROLLBACK").await.expect("an end");
    };
    tokio::join!(set, meanwhile);
    let (bytes, open) = scene.used().await;
    assert_eq!((bytes, open), (1 + CALLERS as u64, 1));
}

/// A locked row delays only requests that need this row.
#[tokio::test]
async fn other_tenants_do_not_wait_for_locked_uploads() {
    let scene = Scene::with(few_connections(), Changes::default()).await;
    let sessions = create_all_at_once(&scene).await;
    for session in &sessions {
        scene.acme.put(session, "x").await.expect_ok();
    }
    let calls = join_all(
        sessions
            .iter()
            .map(|session| scene.acme.acknowledge(session)),
    );
    let hold = "SELECT FROM uploads WHERE tenant = 'acme' FOR UPDATE";
    for reply in uploads_beside(&scene, hold, calls, 1..=MOST_WAITING).await {
        let upload = reply.expect(StatusCode::OK);
        assert_eq!(upload["status"], "Uploaded", "{upload:#}");
    }
}

/// The same holds where the locked row is the one that a newer upload supersedes.
#[tokio::test]
async fn other_tenants_do_not_wait_for_a_locked_superseded_upload() {
    let scene = Scene::with(few_connections(), Changes::default()).await;
    let old = scene.upload("/a.csv", "x", json!({})).await;
    let new = scene.create("/a.csv", json!({"overwrite": true})).await;
    scene.acme.put(&new, "y").await.expect_ok();
    let hold = "SELECT FROM uploads WHERE tenant = 'acme' AND status = 'Uploaded' FOR UPDATE";
    let call = scene.acme.acknowledge(&new);
    uploads_beside(&scene, hold, call, 1..=1)
        .await
        .expect(StatusCode::OK);
    let old = scene.acme.get(&format!("/uploads/{}", id(&old))).await;
    assert_eq!(old.expect(StatusCode::OK)["status"], "Superseded");
}
