//! `put` with a key that has the scope `uploads:write` only.

use serde_json::json;
use upload_broker::domain::principal::Scope;

use super::fault_proxy::PutFault;
use super::scene::{Scene, noise};
use crate::support::process::{FinishedProcess, Run};

const MIB: usize = 1 << 20;
const PUT: [&str; 6] = ["put", "--json", "--part-size", "5", "big", "/big"];

/// A scene, and a key with the scope `uploads:write` only.
async fn scene() -> (Scene, String) {
    let scene = Scene::new().await;
    let (_, key) = scene
        .app
        .issue_key("default", &[Scope::UploadsWrite], None)
        .await;
    (scene, key)
}

fn run(scene: &Scene, key: &str, args: &[&str]) -> Run {
    scene.run(args).set("UPLOAD_BROKER_KEY", key)
}

async fn end(scene: &Scene, key: &str, args: &[&str]) -> FinishedProcess {
    run(scene, key, args).finish().await
}

#[tokio::test]
async fn put_needs_only_write_scope_for_large_files_and_pipes() {
    let (scene, key) = scene().await;
    let bytes = noise(51, 17 * MIB);
    scene.write("big", &bytes);
    end(&scene, &key, &PUT).await.ok();
    assert!(scene.stored("/big").await == bytes);
    let piped = run(&scene, &key, &["put", "-", "/piped"]).stdin(&bytes);
    piped.finish().await.ok();
    assert!(scene.stored("/piped").await == bytes);

    // The same with an upload token.
    let asked = json!({"prefix": "/in/", "scopes": ["uploads:write"]});
    let token = scene.app.post("/tokens", asked).await;
    let token = token.expect(reqwest::StatusCode::CREATED);
    let token = token["token"].as_str().expect("a token");
    end(&scene, token, &["put", "big", "/in/big"]).await.ok();
    assert!(scene.stored("/in/big").await == bytes);
}

#[tokio::test]
async fn failed_put_cancels_its_session() {
    let (scene, key) = scene().await;
    scene.write("big", &noise(52, 17 * MIB));
    scene.proxy.harm([PutFault::Flip; 40]);
    let ended = end(&scene, &key, &PUT).await;
    ended.expect_failure(1, &["BadDigest"]);
    let uploads = scene.uploads("/big").await;
    assert_eq!(uploads[0]["status"], "Cancelled", "{uploads:#?}");
    assert_eq!(scene.app.bucket.open_keys().await, [""; 0]);
    assert_eq!(scene.remembered(), 0);
}

/// What was sent this key may not read: it begins anew, and the old session is freed.
#[tokio::test]
async fn killed_put_restarts_when_key_cannot_read_its_session() {
    let (scene, key) = scene().await;
    let bytes = noise(53, 30 * MIB);
    scene.write("big", &bytes);
    let process = run(&scene, &key, &PUT).spawn();
    scene.proxy.sent(12 * MIB as u64).await;
    process.stop("KILL").await;
    let ended = end(&scene, &key, &PUT).await.ok();
    assert!(ended.err.contains("this key may not read"), "{ended:#?}");
    assert!(scene.stored("/big").await == bytes);
    let states: Vec<_> = (scene.uploads("/big").await.iter())
        .map(|upload| upload["status"].clone())
        .collect();
    assert_eq!(states, ["Uploaded", "Cancelled"]);
    assert_eq!(scene.app.bucket.open_keys().await, [""; 0]);
}

/// The URL has expired when its PUT arrives, and refreshing it needs a scope that the key lacks.
#[tokio::test]
async fn put_creates_new_session_when_url_expired_and_key_cannot_refresh() {
    let (scene, key) = scene().await;
    scene.write("a", b"12345");
    scene.app.advance(-chrono::TimeDelta::hours(1));
    scene
        .proxy
        .harm([PutFault::Late(std::time::Duration::from_secs(2))]);
    let process = run(&scene, &key, &["put", "a", "/a"]).spawn();
    crate::support::observe::eventually("it is under way", async || {
        !scene.proxy.seen().puts.is_empty()
    })
    .await;
    scene.app.advance(chrono::TimeDelta::hours(1));
    process.wait().await.ok();
    assert_eq!(scene.stored("/a").await, b"12345");
}
