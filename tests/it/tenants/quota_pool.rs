//! Whoever waits for a quota, a key or a token keeps a connection meanwhile, and leaves enough of
//! them to the others.

use futures::future::join_all;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::scene::{Scene, quota};
use crate::support::app::Setup;
use crate::support::observe::eventually;
use crate::support::reply::Reply;

const CALLERS: usize = 24;
const CONNECTIONS: usize = 8;

/// Uploads by themselves, in transactions of their own.
async fn once(scene: &Scene, n: usize) -> Value {
    let body = json!({"path": format!("/{n}.csv"), "size": 1});
    let key = format!("once-{n}");
    let request = scene.acme.request(Method::POST, "/uploads").json(&body);
    let reply = Reply::of(request.header("idempotency-key", key)).await;
    reply.expect(StatusCode::CREATED)
}

async fn batch(scene: &Scene, n: usize, key: Option<String>) -> Value {
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

#[tokio::test]
async fn a_tenant_whose_quota_is_held_leaves_connections_to_the_others() {
    let setup = Setup::new()
        .set("BROKER_DB_POOL_SIZE", CONNECTIONS)
        .set("BROKER_DB_POOL_WAIT_SECONDS", 30);
    let scene = Scene::with(setup, quota(Some(1_000), None)).await;
    let (holder, observer) = (scene.app.sql().await, scene.app.sql().await);
    let hold = "BEGIN; SELECT FROM quota_usage WHERE tenant = 'acme' FOR UPDATE";
    holder.batch_execute(hold).await.expect("the quota");
    let calls = join_all((0..CALLERS).map(async |n| match n % 3 {
        0 => once(&scene, n).await,
        1 => batch(&scene, n, None).await,
        _ => batch(&scene, n, Some(format!("batch-{n}"))).await,
    }));
    let others = async {
        let waiting = "SELECT count(*) FROM pg_stat_activity \
             WHERE datname = current_database() AND wait_event_type = 'Lock'";
        let mut now = 0;
        eventually("they wait", async || {
            let row = observer.query_one(waiting, &[]).await.expect("a count");
            now = row.get::<_, i64>(0);
            now == CONNECTIONS as i64 / 2
        })
        .await;
        scene.app.upload("/beside.csv", "x", json!({})).await;
        let row = observer.query_one(waiting, &[]).await.expect("a count");
        assert_eq!(row.get::<_, i64>(0), now, "and no more of them");
        holder.batch_execute("ROLLBACK").await.expect("an end");
    };
    let (made, ()) = tokio::join!(calls, others);
    assert_eq!(scene.used().await, (made.len() as u64, made.len() as u64));
}
