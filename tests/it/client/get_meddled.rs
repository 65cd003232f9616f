//! `get` while somebody meddles with it: broken connections, other bytes, URLs that end.

use std::time::Duration;

use chrono::TimeDelta;

use super::meddler::Trick;
use super::scene::{Scene, noise};
use crate::support::app::{Setup, now};
use crate::support::observe::eventually;

const SIZE: usize = 2_000_000;

#[tokio::test]
async fn a_broken_connection_is_taken_up_again() {
    let scene = Scene::new().await;
    let bytes = noise(11, SIZE);
    scene.dataset("/data/big.bin", &bytes).await;
    scene.meddler.play(Trick::Cut(600_000), 3);
    let ended = scene.end(&["get", "/data/big.bin"]).await.ok();
    assert!(scene.read("big.bin") == bytes, "{ended:#?}");
    let seen = scene.meddler.take();
    assert_eq!(seen.played, 3, "{}", seen.asked);
    assert_eq!(seen.asked.matches("GET /").count(), 4, "{}", seen.asked);
    let most = SIZE as u64 + 4 * 2_000;
    assert!(seen.answered <= most, "bytes came twice: {}", seen.answered);
}

/// The same to standard output, where nothing can be taken back.
#[tokio::test]
async fn standard_output_gets_each_byte_once() {
    let scene = Scene::new().await;
    let text: String = (0..200_000).map(|line| format!("{line}\n")).collect();
    scene.dataset("/data/lines", text.as_bytes()).await;
    scene.meddler.play(Trick::Cut(500_000), 2);
    let ended = scene.end(&["get", "/data/lines", "-"]).await;
    assert_eq!(ended.status.code(), Some(0), "{}", ended.err);
    assert!(ended.out == text, "other lines");
}

#[tokio::test]
async fn a_byte_that_changed_on_the_way_is_not_kept() {
    let scene = Scene::new().await;
    let bytes = noise(12, SIZE);
    scene.dataset("/data/big.bin", &bytes).await;
    scene.meddler.play(Trick::Flip(1_234_567), 1);
    let ended = scene.end(&["get", "/data/big.bin"]).await.ok();
    let says = "are not those of the dataset";
    assert!(
        ended.err.contains(says) && ended.err.contains("starting again"),
        "{ended:#?}"
    );
    assert!(scene.read("big.bin") == bytes);
    std::fs::remove_file(scene.folder().join("big.bin")).unwrap();

    // Again and again: nothing is kept, and the exit code says why.
    scene.meddler.play(Trick::Flip(1_234_567), 2);
    let ended = scene.end(&["get", "/data/big.bin"]).await;
    ended.failed(7, &[says, "twice: nothing was saved"]);
    assert!(scene.names().is_empty(), "{:?}", scene.names());

    // What is out already cannot be taken back: it is said at once.
    scene.dataset("/data/text", &[b'x'; 300_000]).await;
    scene.meddler.play(Trick::Flip(200_000), 1);
    let ended = scene.end(&["get", "/data/text", "-"]).await;
    assert_eq!(ended.status.code(), Some(7), "{}", ended.err);
    assert!(ended.err.contains(says), "{}", ended.err);
}

#[tokio::test]
async fn a_dataset_replaced_in_the_middle_is_had_from_its_start() {
    let scene = Scene::new().await;
    scene.dataset("/data/big.bin", &noise(13, SIZE)).await;
    let newer = noise(14, SIZE);
    scene.meddler.play(Trick::Stall(700_000), 1);
    let process = scene.run(&["get", "/data/big.bin"]).spawn();
    scene.meddler.played().await;
    scene.app.bucket.put("data/big.bin", newer.clone()).await;
    scene.meddler.pass();
    let ended = process.ended().await.ok();
    assert!(
        ended.err.contains("replaced during the download"),
        "{ended:#?}"
    );
    assert!(scene.read("big.bin") == newer);
    assert_eq!(scene.names(), ["big.bin"]);
}

#[tokio::test]
async fn a_dataset_removed_in_the_middle_is_not_there() {
    let scene = Scene::new().await;
    scene.dataset("/data/big.bin", &noise(15, SIZE)).await;
    scene.meddler.play(Trick::Stall(700_000), 1);
    let process = scene.run(&["get", "/data/big.bin"]).spawn();
    scene.meddler.played().await;
    scene.app.delete("/datasets/data/big.bin").await.expect_ok();
    scene.meddler.pass();
    process.ended().await.failed(5, &["dataset-not-found"]);
    assert!(scene.names().is_empty(), "{:?}", scene.names());
}

/// A URL that ended in the middle: a fresh one is asked for, and nothing comes twice.
#[tokio::test]
async fn a_url_that_ended_in_the_middle_is_replaced() {
    let scene = Scene::of(Setup::new().set("BROKER_URL_SECONDS", 900)).await;
    let bytes = noise(16, SIZE);
    scene.dataset("/data/big.bin", &bytes).await;
    // From here on URLs end in eight seconds: time enough for the client to begin.
    let ago = TimeDelta::seconds(900 - 8);
    scene.app.advance(now() - scene.app.clock.now() - ago);
    scene.meddler.play(Trick::Stall(700_000), 1);
    let process = scene.run(&["get", "/data/big.bin"]).spawn();
    let asked = scene.meddler.played().await.asked;
    let target = asked.split_whitespace().nth(1).expect("a target");
    let url = format!("{}{target}", scene.meddler.endpoint());
    eventually("the URL has ended", async || {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let answer = scene.app.http.get(&url).header("range", "bytes=0-0").send();
        answer.await.expect("an answer").status() == 403
    })
    .await;
    scene.app.advance(ago);
    scene.meddler.take();
    scene.meddler.pass();
    let ended = process.ended().await.ok();
    assert!(scene.read("big.bin") == bytes, "{ended:#?}");
    let seen = scene.meddler.take();
    assert_eq!(seen.asked.matches("GET /").count(), 2, "{}", seen.asked);
    assert!(seen.answered < SIZE as u64 - 690_000, "{}", seen.answered);
}

/// Fresh URLs that are no better are not asked for for ever.
#[tokio::test]
async fn urls_that_never_work_are_given_up() {
    let setup = Setup::new().clock_at(now() - TimeDelta::hours(3));
    let scene = Scene::of(setup).await;
    scene.app.bucket.put("data/a.csv", "a").await;
    let ended = scene.end(&["get", "/data/a.csv"]).await;
    ended.failed(1, &["the store answered 403"]);
    let asked = scene.meddler.take().asked;
    assert_eq!(asked.matches("GET /").count(), 4, "{asked}");
}
