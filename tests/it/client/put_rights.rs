//! `put` with a key that may upload and nothing else.

use serde_json::json;
use upload_broker::domain::principal::Scope;

use super::meddler::Harm;
use super::scene::{Scene, noise};
use crate::support::process::{Ended, Run};

const MIB: usize = 1 << 20;
const PUT: [&str; 6] = ["put", "--json", "--part-size", "5", "big", "/big"];

/// A scene, and a key with the scope `uploads:write` alone.
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

async fn end(scene: &Scene, key: &str, args: &[&str]) -> Ended {
    run(scene, key, args).end().await
}

#[tokio::test]
async fn a_key_that_may_only_write_uploads_large_files_and_pipes() {
    let (scene, key) = scene().await;
    let bytes = noise(51, 17 * MIB);
    scene.write("big", &bytes);
    end(&scene, &key, &PUT).await.ok();
    assert!(scene.stored("/big").await == bytes);
    let piped = run(&scene, &key, &["put", "-", "/piped"]).fed(&bytes);
    piped.end().await.ok();
    assert!(scene.stored("/piped").await == bytes);

    // The same by an upload token.
    let asked = json!({"prefix": "/in/", "scopes": ["uploads:write"]});
    let token = scene.app.post("/tokens", asked).await;
    let token = token.expect(reqwest::StatusCode::CREATED);
    let token = token["token"].as_str().expect("a token");
    end(&scene, token, &["put", "big", "/in/big"]).await.ok();
    assert!(scene.stored("/in/big").await == bytes);
}

#[tokio::test]
async fn a_put_that_fails_leaves_no_session_behind() {
    let (scene, key) = scene().await;
    scene.write("big", &noise(52, 17 * MIB));
    scene.meddler.harm([Harm::Flip; 40]);
    let ended = end(&scene, &key, &PUT).await;
    ended.failed(1, &["BadDigest"]);
    let uploads = scene.uploads("/big").await;
    assert_eq!(uploads[0]["status"], "Cancelled", "{uploads:#?}");
    assert_eq!(scene.app.bucket.open_keys().await, [""; 0]);
    assert_eq!(scene.remembered(), 0);
}

/// What was sent this key may not read: it begins anew, and the old session is freed.
#[tokio::test]
async fn a_killed_put_begins_anew_where_its_session_cannot_be_read() {
    let (scene, key) = scene().await;
    let bytes = noise(53, 30 * MIB);
    scene.write("big", &bytes);
    let process = run(&scene, &key, &PUT).spawn();
    scene.meddler.sent(12 * MIB as u64).await;
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

/// The URL has ended when its PUT arrives, and a fresh one takes a scope that the key lacks.
#[tokio::test]
async fn a_small_file_whose_url_ended_gets_another_session() {
    let (scene, key) = scene().await;
    scene.write("a", b"12345");
    scene.app.advance(-chrono::TimeDelta::hours(1));
    scene
        .meddler
        .harm([Harm::Late(std::time::Duration::from_secs(2))]);
    let process = run(&scene, &key, &["put", "a", "/a"]).spawn();
    crate::support::observe::eventually("it is under way", async || {
        !scene.meddler.seen().puts.is_empty()
    })
    .await;
    scene.app.advance(chrono::TimeDelta::hours(1));
    process.ended().await.ok();
    assert_eq!(scene.stored("/a").await, b"12345");
}
