//! The limits of a tenant on every way to an upload.

use chrono::TimeDelta;
use reqwest::StatusCode;
use serde_json::{Value, json};
use upload_broker::usecases::maintenance::arrived::{Arrived, arrived};
use upload_broker::usecases::tenants::{Change, Changes};

use super::scene::Scene;
use crate::support::app::{Setup, id};
use crate::support::observe::eventually;
use crate::support::reply::Reply;
use crate::support::shared;

fn max_size(bytes: u64) -> Changes {
    Changes {
        max_size: Change::Set(bytes),
        ..Changes::default()
    }
}

fn urls(default: Change<u32>, most: Change<u32>) -> Changes {
    Changes {
        url_seconds: default,
        max_url_seconds: most,
        ..Changes::default()
    }
}

/// The lifetime of a URL, as its query says.
fn life(url: &Value) -> u32 {
    let url = url::Url::parse(url.as_str().expect("a URL")).expect("a URL");
    let mut query = url.query_pairs();
    let expires = query.find(|(name, _)| name == "X-Amz-Expires");
    expires.expect("an end").1.parse().expect("seconds")
}

#[tokio::test]
async fn size_limit_of_tenant_applies_to_create_and_batch() {
    let scene = Scene::new(max_size(1_000)).await;
    let problem = scene.ask("/a.csv", json!({"size": 1_001})).await;
    let problem = problem.expect_problem(422, "size-limit-exceeded");
    assert_eq!(problem["errors"][0]["pointer"], "/size", "{problem:#}");
    let detail = problem["detail"].as_str().expect("words");
    assert!(detail.contains("1000 bytes"), "{problem:#}");
    let batch =
        json!({"uploads": [{"path": "/a.csv", "size": 1_001}, {"path": "/b.csv", "size": 1_000}]});
    let answer = scene.post("/uploads/batch", batch).await;
    let answer = answer.expect(StatusCode::OK);
    assert_eq!(
        answer["results"][0]["problem"]["code"],
        "size-limit-exceeded"
    );
    assert_eq!(answer["results"][1]["status"], 201, "{answer:#}");
    // Other tenants have the limit of the settings.
    scene.app.create("/a.csv", json!({"size": 1_001})).await;
}

#[tokio::test]
async fn limits_of_tenant_never_widen_limits_of_settings() {
    let setup = Setup::new().set("BROKER_MAX_SIZE_BYTES", 100);
    let setup = setup.set("BROKER_ALLOWED_CONTENT_TYPES", "text/*");
    let limits = Changes {
        content_types: Change::Set(vec!["text/csv".into(), "image/*".into()]),
        ..max_size(1_000)
    };
    let scene = Scene::with(setup, limits).await;
    let too_large = scene.ask("/a.csv", json!({"size": 101})).await;
    too_large.expect_problem(422, "size-limit-exceeded");
    // Both lists apply.
    for (path, allowed) in [("/a.png", "text/*"), ("/a.txt", "text/csv, image/*")] {
        let problem = scene.ask(path, json!({})).await;
        let problem = problem.expect_problem(422, "content-type-not-allowed");
        let detail = problem["detail"].as_str().expect("words");
        assert!(detail.contains(allowed), "{problem:#}");
    }
    scene.create("/a.csv", json!({})).await;
    scene.app.create("/a.txt", json!({})).await;
}

/// A size that was not declared is checked when the object has arrived, by whichever process proves
/// it.
#[tokio::test]
async fn too_large_object_is_rejected_by_acknowledge_s3_event_and_janitor() {
    let scene = Scene::new(max_size(4)).await;
    let mut sent = Vec::new();
    for path in ["/client.csv", "/event.csv", "/janitor.csv"] {
        let session = scene.create(path, json!({})).await;
        scene.acme.put(&session, "12345").await.expect_ok();
        sent.push(session);
    }
    let path = format!("/uploads/{}/acknowledge", id(&sent[0]));
    let refused = scene.post(&path, json!({"size": 5})).await;
    refused.expect_problem(422, "size-limit-exceeded");

    let (broker, bucket) = (scene.app.broker.clone(), scene.app.bucket.name.clone());
    let look = async move { arrived(&broker, &bucket, "acme/event.csv").await };
    let looked = shared().spawn(look).await.expect("a task").expect("a look");
    assert!(matches!(looked, Arrived::Refused(..)), "{looked:?}");

    scene.app.advance(TimeDelta::hours(1));
    assert_eq!(scene.app.janitor().await.expired, 1);
    for session in &sent {
        let upload = scene.acme.get(&format!("/uploads/{}", id(session))).await;
        let upload = upload.expect(StatusCode::OK);
        assert_eq!(upload["status"], "Error", "{upload:#}");
        assert_eq!(upload["error"]["code"], "size-limit-exceeded", "{upload:#}");
    }
}

/// What was declared within the former limit is accepted.
#[tokio::test]
async fn declared_size_stays_valid_after_the_limit_is_lowered() {
    let scene = Scene::new(max_size(5)).await;
    let declared = scene.create("/declared.csv", json!({"size": 5})).await;
    let open = scene.create("/open.csv", json!({})).await;
    scene.set(max_size(4)).await;
    for session in [&declared, &open] {
        scene.acme.put(session, "12345").await.expect_ok();
    }
    let done = scene.acme.acknowledge(&declared).await;
    done.expect(StatusCode::OK);
    eventually("the lower limit is known", async || {
        scene.ask("/probe.csv", json!({"size": 5})).await.status == 422
    })
    .await;
    let refused = scene.acme.acknowledge(&open).await;
    refused.expect_problem(422, "size-limit-exceeded");
}

#[tokio::test]
async fn size_limit_of_tenant_applies_to_parts_without_total_size() {
    let mib = 1 << 20;
    let scene = Scene::new(max_size(6 * mib)).await;
    let open = scene.create("/a.bin", json!({"multipart": true})).await;
    let path = format!("/uploads/{}/parts", id(&open));
    let ask = json!({"parts": [{"part_number": 1, "size": 6 * mib + 1}]});
    let problem = scene.post(&path, ask).await;
    let problem = problem.expect_problem(422, "invalid-request");
    assert_eq!(problem["errors"][0]["pointer"], "/parts/0/size");
    let ask = json!({"parts": [{"part_number": 1, "size": 5 * mib}, {"part_number": 2, "size": 2 * mib}]});
    let refused = scene.post(&path, ask).await;
    let problem = refused.expect_problem(422, "size-limit-exceeded");
    assert_eq!(problem["errors"][0]["pointer"], "/parts", "{problem:#}");
    let ask =
        json!({"parts": [{"part_number": 1, "size": 5 * mib}, {"part_number": 2, "size": mib}]});
    let parts = scene.post(&path, ask).await.expect(StatusCode::OK);
    for (part, size) in [(0, 5 * mib), (1, mib)] {
        let url = parts["parts"][part]["url"].as_str().expect("a URL");
        let bytes = vec![b'x'; usize::try_from(size).expect("a size")];
        Reply::of(scene.acme.http.put(url).body(bytes))
            .await
            .expect_ok();
    }
    // The limit is lowered before the size of the whole is given.
    scene.set(max_size(5 * mib)).await;
    let acknowledge = format!("/uploads/{}/acknowledge", id(&open));
    let refused = scene.post(&acknowledge, json!({"size": 6 * mib})).await;
    refused.expect_problem(422, "size-limit-exceeded");
    let now = scene.acme.get(&format!("/uploads/{}", id(&open))).await;
    assert_eq!(now.expect(StatusCode::OK)["status"], "Error");
    assert!(scene.app.bucket.head("acme/a.bin").await.is_none());
}

#[tokio::test]
async fn url_lifetimes_follow_default_and_maximum_of_the_tenant() {
    let scene = Scene::new(urls(Change::Set(60), Change::Set(300))).await;
    let session = scene.create("/a.csv", json!({})).await;
    assert_eq!(life(&session["upload"]["url"]), 60, "the default");
    let session = scene.create("/b.csv", json!({"expires_in": 300})).await;
    assert_eq!(life(&session["upload"]["url"]), 300);
    let problem = scene.ask("/c.csv", json!({"expires_in": 301})).await;
    let problem = problem.expect_problem(422, "invalid-request");
    assert_eq!(
        problem["errors"][0]["pointer"], "/expires_in",
        "{problem:#}"
    );
    let detail = problem["detail"].as_str().expect("words");
    assert!(detail.contains("1 to 300 seconds"), "{problem:#}");
    let extend = format!("/uploads/{}/extend", id(&session));
    let problem = scene.post(&extend, json!({"expires_in": 301})).await;
    problem.expect_problem(422, "invalid-request");
    scene
        .post(&extend, json!({"expires_in": 300}))
        .await
        .expect(StatusCode::OK);

    scene.upload("/d.csv", "x", json!({})).await;
    let download = scene.acme.get("/datasets/d.csv").await;
    let download = download.expect(StatusCode::OK);
    assert_eq!(life(&download["download_url"]), 60, "{download:#}");
    let url = "/datasets/d.csv/action/download?redirect=false";
    let download = scene.acme.get(url).await.expect(StatusCode::OK);
    assert_eq!(life(&download["url"]), 60, "{download:#}");
}

/// A default lifetime that is longer than the maximum is reduced to the maximum.
#[tokio::test]
async fn default_url_lifetime_is_reduced_to_the_maximum_of_the_tenant() {
    let scene = Scene::new(urls(Change::Keep, Change::Set(30))).await;
    let session = scene.create("/a.csv", json!({})).await;
    assert_eq!(life(&session["upload"]["url"]), 30);
}

/// A limit that was set later applies to new URLs of old uploads, also to those of parts.
#[tokio::test]
async fn new_urls_of_old_uploads_follow_the_current_limit() {
    let scene = Scene::new(Changes::default()).await;
    let put = scene.create("/a.csv", json!({"expires_in": 3_600})).await;
    let more = json!({"expires_in": 3_600, "size": 10, "multipart": true});
    let parts = scene.create("/b.csv", more).await;
    scene.set(urls(Change::Keep, Change::Set(120))).await;
    eventually("the limit holds", async || {
        let reply = scene.ask("/c.csv", json!({"expires_in": 121})).await;
        reply.status == StatusCode::UNPROCESSABLE_ENTITY
    })
    .await;
    let fresh = format!("/uploads/{}?refresh_urls=true", id(&put));
    let fresh = scene.acme.get(&fresh).await.expect(StatusCode::OK);
    assert!(life(&fresh["upload"]["url"]) <= 120, "{fresh:#}");
    let path = format!("/uploads/{}/parts", id(&parts));
    let fresh = scene.post(&path, json!({"part_numbers": [1]})).await;
    let fresh = fresh.expect(StatusCode::OK);
    assert!(life(&fresh["parts"][0]["url"]) <= 120, "{fresh:#}");
    // When the limit is removed, URLs live as long as before.
    scene.set(urls(Change::Keep, Change::Remove)).await;
    eventually("the limit is gone", async || {
        let reply = scene.ask("/d.csv", json!({"expires_in": 3_600})).await;
        reply.status == StatusCode::CREATED
    })
    .await;
}
