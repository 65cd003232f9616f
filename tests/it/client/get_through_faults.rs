//! `get` under interference: broken connections, changed bytes, URLs that expire.

use std::time::Duration;

use chrono::TimeDelta;

use super::fault_proxy::ResponseFault;
use super::scene::{Scene, noise};
use crate::support::app::{Setup, now};
use crate::support::observe::eventually;

const SIZE: usize = 2_000_000;

#[tokio::test]
async fn get_resumes_after_broken_connections() {
    let scene = Scene::new().await;
    let bytes = noise(11, SIZE);
    scene.dataset("/data/big.bin", &bytes).await;
    scene.proxy.play(ResponseFault::Cut(600_000), 3);
    let ended = scene.end(&["get", "/data/big.bin"]).await.ok();
    assert!(scene.read("big.bin") == bytes, "{ended:#?}");
    let seen = scene.proxy.take();
    assert_eq!(seen.played, 3, "{}", seen.asked);
    assert_eq!(seen.asked.matches("GET /").count(), 4, "{}", seen.asked);
    let most = SIZE as u64 + 4 * 2_000;
    assert!(seen.answered <= most, "bytes came twice: {}", seen.answered);
}

/// The same to standard output, where written bytes cannot be taken back.
#[tokio::test]
async fn get_to_standard_output_writes_each_byte_once_after_broken_connections() {
    let scene = Scene::new().await;
    let text: String = (0..200_000).map(|line| format!("{line}\n")).collect();
    scene.dataset("/data/lines", text.as_bytes()).await;
    scene.proxy.play(ResponseFault::Cut(500_000), 2);
    let ended = scene.end(&["get", "/data/lines", "-"]).await;
    assert_eq!(ended.status.code(), Some(0), "{}", ended.err);
    assert!(ended.out == text, "other lines");
}

#[tokio::test]
async fn get_rejects_corrupted_download_and_retries_once() {
    let scene = Scene::new().await;
    let bytes = noise(12, SIZE);
    scene.dataset("/data/big.bin", &bytes).await;
    scene.proxy.play(ResponseFault::Flip(1_234_567), 1);
    let ended = scene.end(&["get", "/data/big.bin"]).await.ok();
    let says = "are not those of the dataset";
    assert!(
        ended.err.contains(says) && ended.err.contains("starting again"),
        "{ended:#?}"
    );
    assert!(scene.read("big.bin") == bytes);
    std::fs::remove_file(scene.folder().join("big.bin")).unwrap();

    // Corrupted twice: no file is kept, and the exit code says why.
    scene.proxy.play(ResponseFault::Flip(1_234_567), 2);
    let ended = scene.end(&["get", "/data/big.bin"]).await;
    ended.expect_failure(7, &[says, "twice: nothing was saved"]);
    assert!(scene.names().is_empty(), "{:?}", scene.names());

    // Bytes on standard output cannot be taken back: the fault is reported at once.
    scene.dataset("/data/text", &[b'x'; 300_000]).await;
    scene.proxy.play(ResponseFault::Flip(200_000), 1);
    let ended = scene.end(&["get", "/data/text", "-"]).await;
    assert_eq!(ended.status.code(), Some(7), "{}", ended.err);
    assert!(ended.err.contains(says), "{}", ended.err);
}

#[tokio::test]
async fn get_restarts_when_dataset_is_replaced_during_download() {
    let scene = Scene::new().await;
    scene.dataset("/data/big.bin", &noise(13, SIZE)).await;
    let newer = noise(14, SIZE);
    scene.proxy.play(ResponseFault::Stall(700_000), 1);
    let process = scene.run(&["get", "/data/big.bin"]).spawn();
    scene.proxy.played().await;
    scene.app.bucket.put("data/big.bin", newer.clone()).await;
    scene.proxy.pass();
    let ended = process.wait().await.ok();
    assert!(
        ended.err.contains("replaced during the download"),
        "{ended:#?}"
    );
    assert!(scene.read("big.bin") == newer);
    assert_eq!(scene.names(), ["big.bin"]);
}

#[tokio::test]
async fn get_fails_when_dataset_is_deleted_during_download() {
    let scene = Scene::new().await;
    scene.dataset("/data/big.bin", &noise(15, SIZE)).await;
    scene.proxy.play(ResponseFault::Stall(700_000), 1);
    let process = scene.run(&["get", "/data/big.bin"]).spawn();
    scene.proxy.played().await;
    scene.app.delete("/datasets/data/big.bin").await.expect_ok();
    scene.proxy.pass();
    process
        .wait()
        .await
        .expect_failure(5, &["dataset-not-found"]);
    assert!(scene.names().is_empty(), "{:?}", scene.names());
}

/// The URL expires during the download: the client requests a fresh one, and no byte is downloaded
/// twice.
#[tokio::test]
async fn get_continues_with_fresh_url_when_url_expires_during_download() {
    let scene = Scene::of(Setup::new().set("BROKER_URL_SECONDS", 900)).await;
    let bytes = noise(16, SIZE);
    scene.dataset("/data/big.bin", &bytes).await;
    // From now on URLs expire in eight seconds: enough time for the client to begin.
    let ago = TimeDelta::seconds(900 - 8);
    scene.app.advance(now() - scene.app.clock.now() - ago);
    scene.proxy.play(ResponseFault::Stall(700_000), 1);
    let process = scene.run(&["get", "/data/big.bin"]).spawn();
    let asked = scene.proxy.played().await.asked;
    let target = asked.split_whitespace().nth(1).expect("a target");
    let url = format!("{}{target}", scene.proxy.endpoint());
    eventually("the URL has ended", async || {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let answer = scene.app.http.get(&url).header("range", "bytes=0-0").send();
        answer.await.expect("an answer").status() == 403
    })
    .await;
    scene.app.advance(ago);
    scene.proxy.take();
    scene.proxy.pass();
    let ended = process.wait().await.ok();
    assert!(scene.read("big.bin") == bytes, "{ended:#?}");
    let seen = scene.proxy.take();
    assert_eq!(seen.asked.matches("GET /").count(), 2, "{}", seen.asked);
    assert!(seen.answered < SIZE as u64 - 690_000, "{}", seen.answered);
}

/// The client does not request fresh URLs without end when none of them works.
#[tokio::test]
async fn get_gives_up_after_repeated_unusable_urls() {
    let setup = Setup::new().clock_at(now() - TimeDelta::hours(3));
    let scene = Scene::of(setup).await;
    scene.app.bucket.put("data/a.csv", "a").await;
    let ended = scene.end(&["get", "/data/a.csv"]).await;
    ended.expect_failure(1, &["the store answered 403"]);
    let asked = scene.proxy.take().asked;
    assert_eq!(asked.matches("GET /").count(), 4, "{asked}");
}
