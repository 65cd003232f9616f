//! Quotas are exact under concurrent requests.

use futures::future::join_all;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use upload_broker::usecases::tenants::Changes;

use super::scene::{Scene, quota};
use crate::support::app::{Setup, id};
use crate::support::reply::Reply;

const CALLERS: u64 = 100;

/// Sends a hundred creates at once and returns the sessions that were granted.
async fn create_concurrently(scene: &Scene, body: impl Fn(u64) -> Value) -> Vec<Value> {
    let requests = (0..CALLERS).map(|n| {
        let request = scene.acme.request(Method::POST, "/uploads");
        let body = body(n);
        let mut request = request.json(&body);
        // With an idempotency key they run in transactions of their own.
        if n % 4 == 0 {
            let path = body["path"].as_str().expect("a path");
            request = request.header("idempotency-key", path);
        }
        Reply::of(request)
    });
    let replies = join_all(requests).await;
    let mut made = Vec::new();
    for reply in replies {
        match reply.status {
            StatusCode::CREATED => made.push(reply.json()),
            _ => drop(reply.expect_problem(409, "quota-exceeded")),
        }
    }
    made
}

#[tokio::test]
async fn concurrent_creates_fill_the_quota_of_open_uploads_exactly() {
    let scene = Scene::new(quota(None, Some(37))).await;
    let made =
        create_concurrently(&scene, |n| json!({"path": format!("/{n}.csv"), "size": n})).await;
    assert_eq!(made.len(), 37);
    assert_eq!(scene.used().await.1, 37);
    join_all(made.iter().map(|session| scene.cancel(session))).await;
    assert_eq!(scene.used().await, (0, 0));
}

#[tokio::test]
async fn concurrent_creates_fill_the_quota_of_bytes_exactly() {
    let scene = Scene::new(quota(Some(100), None)).await;
    let made =
        create_concurrently(&scene, |n| json!({"path": format!("/{n}.csv"), "size": 7})).await;
    assert_eq!(made.len(), 14);
    assert_eq!(scene.used().await, (98, 14));
}

/// Other tenants share statements with them, but not their quota.
#[tokio::test]
async fn creates_of_other_tenants_succeed_beside_a_full_quota() {
    let scene = Scene::new(quota(None, Some(5))).await;
    let theirs = create_concurrently(&scene, |n| json!({"path": format!("/{n}.csv")}));
    let others = join_all((0..CALLERS).map(|n| {
        let app = &scene.app;
        async move { app.create(&format!("/{n}.csv"), json!({})).await }
    }));
    let (theirs, others) = tokio::join!(theirs, others);
    assert_eq!((theirs.len(), others.len()), (5, 100));
    assert_eq!(scene.used().await.1, 5);
}

/// Runs rounds of creates while the earlier uploads end in every way.
#[tokio::test]
async fn quota_stays_exact_while_uploads_end_and_others_begin() {
    let scene = Scene::new(quota(Some(200), Some(20))).await;
    let mut open: Vec<Value> = Vec::new();
    for round in 0..4 {
        let ending = join_all(open.iter().enumerate().map(|(n, session)| {
            let scene = &scene;
            async move {
                match n % 3 {
                    0 => scene.cancel(session).await,
                    1 => drop(scene.finish(session, "01234").await),
                    _ => {
                        scene.finish(session, "01234").await;
                        scene.delete(&format!("/uploads/{}", id(session))).await;
                    }
                }
            }
        }));
        let coming = create_concurrently(
            &scene,
            |n| json!({"path": format!("/{round}/{n}.csv"), "size": 5}),
        );
        let (_, made) = tokio::join!(ending, coming);
        open = made;
        let (bytes, opened) = scene.used().await;
        assert!(bytes <= 200 && opened <= 20, "{bytes} bytes, {opened} open");
        assert_eq!(opened, open.len() as u64);
    }
}

/// Nothing is missed and nothing is counted twice while a quota is set.
#[tokio::test]
async fn quota_set_during_creates_and_cancels_counts_exactly() {
    let scene = Scene::new(Changes::default()).await;
    let old = join_all((0..20).map(|n| {
        let scene = &scene;
        async move {
            scene
                .create(&format!("/old/{n}.csv"), json!({"size": 1}))
                .await
        }
    }))
    .await;
    let coming = create_concurrently(&scene, |n| json!({"path": format!("/{n}.csv"), "size": 1}));
    let ending = join_all(old.iter().map(|session| scene.cancel(session)));
    let setting = async {
        for limit in [1_000, 60, 1_000, 60] {
            scene.set(quota(Some(limit), None)).await;
            scene.set(quota(None, None)).await;
            scene.set(quota(Some(limit), None)).await;
        }
    };
    let (made, ..) = tokio::join!(coming, ending, setting);
    assert_eq!(scene.used().await, (made.len() as u64, made.len() as u64));
}

/// Replicas share the quota because it is in the database.
#[tokio::test]
async fn two_replicas_share_one_quota() {
    let scene = Scene::new(quota(None, Some(30))).await;
    let url = scene.app.database.url().to_owned();
    let setup = Setup::new().set("DATABASE_URL", url);
    let other = setup.set("BROKER_S3_BUCKET", &scene.app.bucket.name);
    let other = other.start().await;
    let mut second = scene.acme.clone();
    second.url.clone_from(&other.url);
    let requests = (0..CALLERS).map(|n| {
        let caller = [&scene.acme, &second][usize::try_from(n % 2).expect("0 or 1")];
        let request = caller.request(Method::POST, "/uploads");
        Reply::of(request.json(&json!({"path": format!("/{n}.csv")})))
    });
    let replies = join_all(requests).await;
    let made = replies
        .iter()
        .filter(|reply| reply.status == StatusCode::CREATED);
    assert_eq!(made.count(), 30);
    assert_eq!(scene.used().await.1, 30);
}
