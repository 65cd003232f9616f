//! A disabled tenant: its credentials are rejected, and nothing is lost.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::json;
use upload_broker::usecases::maintenance::arrived::{Arrived, arrived};
use upload_broker::usecases::tenants::{self, Change, Changes};

use super::scene::{Scene, connect};
use crate::support::app::{Setup, id};
use crate::support::observe::within;
use crate::support::reply::Reply;
use crate::support::serving::Caller;
use crate::support::shared;

/// Longer than the result of a key check is cached.
const SECONDS: Duration = Duration::from_secs(5);

async fn disable(scene: &Scene, name: &str) {
    let mut connection = connect(&scene.app).await;
    let disabled = tenants::disable(&mut connection, &scene.app.clock, name).await;
    assert!(disabled.expect("a tenant").disabled_at.is_some());
}

async fn enable(scene: &Scene, name: &str) {
    let mut connection = connect(&scene.app).await;
    let enabled = tenants::enable(&mut connection, &scene.app.clock, name).await;
    assert_eq!(enabled.expect("a tenant").disabled_at, None);
}

async fn wait_until_rejected(caller: &Caller) {
    within(SECONDS, "the tenant is refused", async || {
        caller.get("/uploads").await.status == StatusCode::UNAUTHORIZED
    })
    .await;
}

#[tokio::test]
async fn keys_of_disabled_tenant_are_rejected_within_seconds_until_enabled() {
    let scene = Scene::new(Changes::default()).await;
    let session = scene.create("/a.csv", json!({})).await;
    scene.upload("/b.csv", "x", json!({})).await;
    disable(&scene, "acme").await;
    wait_until_rejected(&scene.acme).await;
    let id = id(&session);
    for (method, path) in [
        (Method::POST, "/uploads".to_owned()),
        (Method::POST, "/uploads/batch".into()),
        (Method::POST, "/uploads/batch/acknowledge".into()),
        (Method::GET, format!("/uploads/{id}?refresh_urls=true")),
        (Method::POST, format!("/uploads/{id}/extend")),
        (Method::POST, format!("/uploads/{id}/parts")),
        (Method::POST, format!("/uploads/{id}/acknowledge")),
        (Method::POST, format!("/uploads/{id}/cancel")),
        (Method::GET, "/datasets".into()),
        (Method::GET, "/datasets/b.csv/action/download".into()),
        (Method::DELETE, "/datasets/b.csv".into()),
    ] {
        let reply = Reply::of(scene.acme.request(method, &path)).await;
        reply.expect_problem(401, "unauthenticated");
    }
    // Other tenants are not affected.
    scene.app.create("/a.csv", json!({})).await;
    enable(&scene, "acme").await;
    within(SECONDS, "the tenant is back", async || {
        scene.acme.get("/uploads").await.status == StatusCode::OK
    })
    .await;
    scene.acme.get("/datasets/b.csv").await.expect_ok();
}

/// What was granted before stays valid: URLs work until they expire, and the objects that they
/// write are proven.
#[tokio::test]
async fn running_uploads_of_disabled_tenant_are_still_proven() {
    let scene = Scene::new(Changes::default()).await;
    let announced = scene.create("/announced.csv", json!({})).await;
    let silent = scene.create("/silent.csv", json!({})).await;
    let nothing = scene.create("/nothing.csv", json!({})).await;
    disable(&scene, "acme").await;
    wait_until_rejected(&scene.acme).await;
    scene.acme.put(&announced, "x").await.expect_ok();
    scene.acme.put(&silent, "x").await.expect_ok();
    let (broker, bucket) = (scene.app.broker.clone(), scene.app.bucket.name.clone());
    let look = async move { arrived(&broker, &bucket, "acme/announced.csv").await };
    let looked = shared().spawn(look).await.expect("a task").expect("a look");
    assert!(matches!(looked, Arrived::Uploaded(_)), "{looked:?}");
    scene.app.advance(chrono::TimeDelta::hours(1));
    let round = scene.app.janitor().await;
    assert_eq!((round.uploaded, round.expired), (1, 1), "{round:?}");

    enable(&scene, "acme").await;
    within(SECONDS, "the tenant is back", async || {
        scene.acme.get("/uploads").await.status == StatusCode::OK
    })
    .await;
    for (session, status) in [
        (&announced, "Uploaded"),
        (&silent, "Uploaded"),
        (&nothing, "Expired"),
    ] {
        let upload = scene.acme.get(&format!("/uploads/{}", id(session))).await;
        assert_eq!(upload.expect(StatusCode::OK)["status"], status);
    }
}

#[tokio::test]
async fn disabled_default_tenant_is_rejected_without_authentication() {
    let setup = Setup::new().set("BROKER_AUTH", "off");
    let scene = Scene::with(setup, Changes::default()).await;
    scene.app.create("/a.csv", json!({})).await;
    disable(&scene, "default").await;
    let anyone = Caller::new(scene.app.url.clone(), "nonsense".into());
    wait_until_rejected(&anyone).await;
}

/// A running create blocks a first quota of its tenant, but not the deactivation of the tenant or a
/// change of another limit. Neither waits for the other.
#[tokio::test]
async fn tenant_changes_do_not_wait_for_running_creates() {
    let scene = Scene::new(Changes::default()).await;
    let mut sql = scene.app.sql().await;
    let under_way = sql.transaction().await.expect("a transaction");
    let as_a_create = "SELECT FROM tenants WHERE name = 'acme' FOR KEY SHARE";
    under_way.query(as_a_create, &[]).await.expect("a row");
    let changed = async {
        let max_size = Change::Set(1_000);
        let limits = Changes {
            max_size,
            ..Changes::default()
        };
        scene.set(limits).await;
        disable(&scene, "acme").await;
        enable(&scene, "acme").await;
    };
    let changed = tokio::time::timeout(SECONDS, changed).await;
    assert!(changed.is_ok(), "a change waits for a create");
}
