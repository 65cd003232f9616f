//! Two tenants with quotas: while the quota row of one tenant is locked, the other tenant does not
//! wait.

use std::time::{Duration, Instant};

use futures::future::join_all;
use reqwest::Method;
use serde_json::json;
use tokio_util::sync::CancellationToken;
use upload_broker::domain::principal::Scope;
use upload_broker::usecases::tenants::{self, Place};

use super::scene::{Scene, quota};
use crate::support::reply::Reply;
use crate::support::serving::Caller;

/// The number of callers of the tenant whose quota row is locked.
const CALLERS: usize = 16;
/// The number of creates of the other tenant, one after the other.
const CREATES: usize = 60;
/// The maximum median duration of these creates. On an idle machine all of them stay far below it.
/// Tests that run at the same time slow single ones down.
const MEDIAN: Duration = Duration::from_millis(50);
/// The maximum duration of each create. A statement that waits for the lock takes longer, because
/// its lock timeout is five seconds.
const SLOWEST: Duration = Duration::from_secs(1);

/// Creates a second tenant with quotas.
async fn other_tenant(scene: &Scene) -> Caller {
    let url = scene.app.database.url();
    let mut connection = upload_broker::store::pool::connect(url)
        .await
        .expect("Postgres");
    let limits = quota(Some(1_000_000), Some(10_000));
    tenants::create(
        &mut connection,
        &scene.app.clock,
        "other",
        Place::default(),
        limits,
    )
    .await
    .expect("a tenant");
    let (_, key) = scene.app.issue_key("other", &Scope::ALL, None).await;
    Caller::new(scene.app.url.clone(), key)
}

/// The durations of some creates, the fastest first.
async fn creates(caller: &Caller, folder: &str) -> Vec<Duration> {
    let mut took = Vec::new();
    for n in 0..CREATES {
        let body = json!({"path": format!("/{folder}/{n}"), "size": 1});
        let begun = Instant::now();
        let reply = Reply::of(caller.request(Method::POST, "/uploads").json(&body)).await;
        took.push(begun.elapsed());
        reply.expect(reqwest::StatusCode::CREATED);
    }
    took.sort();
    took
}

#[tokio::test]
async fn creates_do_not_wait_for_locked_quota_of_another_tenant() {
    let scene = Scene::new(quota(Some(1_000_000), Some(10_000))).await;
    let other = other_tenant(&scene).await;
    let alone = creates(&other, "alone").await;
    let holder = scene.app.sql().await;
    holder
        .batch_execute("BEGIN; SELECT FROM quota_usage WHERE tenant = 'acme' FOR UPDATE")
        .await
        .expect("a lock");
    let over = CancellationToken::new();
    let stream = join_all((0..CALLERS).map(async |caller| {
        let mut asked = 0;
        while !over.is_cancelled() {
            let new = json!({"path": format!("/{caller}/{asked}"), "size": 1});
            let request = match caller % 3 {
                0 => scene.acme.request(Method::POST, "/uploads").json(&new),
                1 => (scene.acme.request(Method::POST, "/uploads").json(&new))
                    .header("idempotency-key", format!("{caller}-{asked}")),
                _ => (scene.acme.request(Method::POST, "/uploads/batch"))
                    .json(&json!({"uploads": [new]})),
            };
            let reply = Reply::of(request).await;
            assert!(
                matches!(reply.status.as_u16(), 200 | 201 | 503),
                "neither created nor refused as unavailable: {reply:#?}"
            );
            asked += 1;
        }
    }));
    let measured = async {
        let beside = creates(&other, "beside").await;
        over.cancel();
        holder.batch_execute("ROLLBACK").await.expect("an end");
        beside
    };
    let (_, beside) = tokio::join!(stream, measured);
    let report = format!("alone {alone:?}\nbeside {beside:?}");
    assert!(beside[CREATES / 2] < MEDIAN, "{report}");
    assert!(beside[CREATES - 1] < SLOWEST, "{report}");
}
