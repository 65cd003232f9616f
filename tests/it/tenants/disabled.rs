//! A tenant that is disabled: nobody gets in, and nothing is lost.

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

/// Longer than an answer about a key is believed.
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

async fn refused(caller: &Caller) {
    within(SECONDS, "the tenant is refused", async || {
        caller.get("/uploads").await.status == StatusCode::UNAUTHORIZED
    })
    .await;
}

#[tokio::test]
async fn its_keys_open_nothing_within_seconds_and_again_when_enabled() {
    let scene = Scene::new(Changes::default()).await;
    let session = scene.create("/a.csv", json!({})).await;
    scene.upload("/b.csv", "x", json!({})).await;
    disable(&scene, "acme").await;
    refused(&scene.acme).await;
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
    // The others are not concerned.
    scene.app.create("/a.csv", json!({})).await;
    enable(&scene, "acme").await;
    within(SECONDS, "the tenant is back", async || {
        scene.acme.get("/uploads").await.status == StatusCode::OK
    })
    .await;
    scene.acme.get("/datasets/b.csv").await.expect_ok();
}

/// What was granted before is kept: URLs live to their end, and what comes by them is proven.
#[tokio::test]
async fn what_is_under_way_is_proven_and_kept() {
    let scene = Scene::new(Changes::default()).await;
    let told = scene.create("/told.csv", json!({})).await;
    let silent = scene.create("/silent.csv", json!({})).await;
    let nothing = scene.create("/nothing.csv", json!({})).await;
    disable(&scene, "acme").await;
    refused(&scene.acme).await;
    scene.acme.put(&told, "x").await.expect_ok();
    scene.acme.put(&silent, "x").await.expect_ok();
    let (broker, bucket) = (scene.app.broker.clone(), scene.app.bucket.name.clone());
    let look = async move { arrived(&broker, &bucket, "acme/told.csv").await };
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
        (&told, "Uploaded"),
        (&silent, "Uploaded"),
        (&nothing, "Expired"),
    ] {
        let upload = scene.acme.get(&format!("/uploads/{}", id(session))).await;
        assert_eq!(upload.expect(StatusCode::OK)["status"], status);
    }
}

#[tokio::test]
async fn without_authentication_the_default_tenant_may_be_disabled_too() {
    let setup = Setup::new().set("BROKER_AUTH", "off");
    let scene = Scene::with(setup, Changes::default()).await;
    scene.app.create("/a.csv", json!({})).await;
    disable(&scene, "default").await;
    let anyone = Caller::new(scene.app.url.clone(), "nonsense".into());
    refused(&anyone).await;
}

/// A create that is under way holds the tenant against a first quota, and not against its end or
/// another limit: neither waits for the other.
#[tokio::test]
async fn it_is_disabled_and_changed_beside_a_create_that_is_under_way() {
    let scene = Scene::new(Changes::default()).await;
    let mut sql = scene.app.sql().await;
    let under_way = sql.transaction().await.expect("a transaction");
    let as_a_create = "SELECT FROM tenants WHERE name = 'acme' FOR KEY SHARE";
    under_way.query(as_a_create, &[]).await.expect("a row");
    let changed = async {
        let max_size = Change::To(1_000);
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
