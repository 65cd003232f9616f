//! `get` that is killed, interrupted and started again.

use super::fault_proxy::ResponseFault;
use super::scene::{Scene, noise};
use crate::support::observe::eventually;
use crate::support::options;
use crate::support::seeded_rng::SeededRng;

const SIZE: usize = 2_000_000;

/// `kill -9` at random positions: bytes that are on the disk by then are not requested again.
#[tokio::test]
async fn get_resumes_killed_download_at_bytes_on_disk() {
    let scene = Scene::new().await;
    let bytes = noise(2, SIZE);
    scene.dataset("/data/big.bin", &bytes).await;
    let mut rng = SeededRng(options::seed(1));
    for round in 0..5 {
        let mut there = 0;
        for _ in 0..=rng.below(2) {
            let left = SIZE as u64 - there;
            if left < 50_000 {
                break;
            }
            let place = 2_000 + rng.below(left - 10_000);
            scene.proxy.take();
            scene.proxy.play(ResponseFault::Stall(place), 1);
            let process = scene.run(&["get", "/data/big.bin"]).spawn();
            let passed = scene.proxy.played().await.answered;
            let least = there + passed - 2_000;
            eventually("what came is on the disk", async || {
                part_file_length(&scene) > least
            })
            .await;
            process.stop("KILL").await;
            scene.proxy.pass();
            assert_one_request_from(&scene, there);
            there = part_file_length(&scene);
            assert!(
                !scene.names().contains(&"big.bin".to_owned()),
                "half a file"
            );
        }
        scene.proxy.take();
        let report = scene
            .end(&["get", "--json", "/data/big.bin"])
            .await
            .ok()
            .json();
        assert_eq!(report["resumed_at"], there, "round {round}: {report:#}");
        assert_eq!(report["level"], "checksum", "round {round}: {report:#}");
        let seen = assert_one_request_from(&scene, there);
        let most = SIZE as u64 - there + 2_000;
        assert!(
            seen <= most,
            "round {round}: {seen} bytes came, {most} were missing"
        );
        assert!(scene.read("big.bin") == bytes, "round {round}: other bytes");
        assert_eq!(scene.names(), ["big.bin"]);
        std::fs::remove_file(scene.folder().join("big.bin")).unwrap();
    }
}

/// The length of the hidden `.part` file; 0 if there is none.
fn part_file_length(scene: &Scene) -> u64 {
    let about = scene.part().and_then(|part| std::fs::metadata(part).ok());
    about.map_or(0, |about| about.len())
}

/// Asserts that the store got one request, for the bytes from `from` on; returns the number of
/// bytes that it sent.
#[track_caller]
fn assert_one_request_from(scene: &Scene, from: u64) -> u64 {
    let seen = scene.proxy.take();
    let asked = seen.asked.to_lowercase();
    assert_eq!(asked.matches("get /").count(), 1, "{asked}");
    let range = format!("range: bytes={from}-");
    assert_eq!(asked.contains(&range), from > 0, "no {range:?} in {asked}");
    assert!(asked.contains("if-match: \""), "{asked}");
    seen.answered
}

#[tokio::test]
async fn get_resumes_after_int_and_term_signals() {
    for (signal, after) in [("INT", 900_000), ("TERM", 1_500_000)] {
        let scene = Scene::new().await;
        let bytes = noise(3, SIZE);
        scene.dataset("/data/big.bin", &bytes).await;
        scene.proxy.play(ResponseFault::Stall(after), 1);
        let process = scene.run(&["get", "/data/big.bin"]).spawn();
        scene.proxy.played().await;
        eventually("what came is on the disk", async || {
            part_file_length(&scene) > after - 2_000
        })
        .await;
        process
            .stop(signal)
            .await
            .expect_failure(130, &["interrupted"]);
        scene.proxy.pass();
        let there = part_file_length(&scene);
        let ended = scene.end(&["get", "/data/big.bin"]).await.ok();
        assert!(ended.err.contains("resuming at "), "{there}: {ended:#?}");
        assert!(scene.read("big.bin") == bytes);
    }
}

/// Two concurrent runs would corrupt the file.
#[tokio::test]
async fn second_get_of_same_file_is_rejected_while_first_runs() {
    let scene = Scene::new().await;
    let bytes = noise(4, SIZE);
    scene.dataset("/data/big.bin", &bytes).await;
    scene.proxy.play(ResponseFault::Stall(800_000), 1);
    let first = scene.run(&["get", "/data/big.bin"]).spawn();
    scene.proxy.played().await;
    let ended = scene.end(&["get", "/data/big.bin"]).await;
    ended.expect_failure(6, &["is being downloaded by another process"]);
    scene.proxy.pass();
    first.wait().await.ok();
    assert!(scene.read("big.bin") == bytes);
}

/// Bytes that changed on the disk between two runs are detected, and everything is downloaded
/// again.
#[tokio::test]
async fn get_detects_corrupted_part_file_and_downloads_again() {
    let scene = Scene::new().await;
    let bytes = noise(5, SIZE);
    scene.dataset("/data/big.bin", &bytes).await;
    scene.proxy.play(ResponseFault::Stall(1_000_000), 1);
    let process = scene.run(&["get", "/data/big.bin"]).spawn();
    scene.proxy.played().await;
    eventually("half of it is on the disk", async || {
        part_file_length(&scene) > 900_000
    })
    .await;
    process.stop("KILL").await;
    scene.proxy.pass();
    let part = scene.part().unwrap();
    let mut half = std::fs::read(&part).unwrap();
    half[500_000] ^= 1;
    std::fs::write(&part, half).unwrap();
    let ended = scene.end(&["get", "/data/big.bin"]).await.ok();
    assert!(
        ended.err.contains("are not those of the dataset"),
        "{ended:#?}"
    );
    assert!(scene.read("big.bin") == bytes);
    assert_eq!(scene.names(), ["big.bin"]);
}

/// A partial download of an older version is not continued with a newer one, and is removed.
#[tokio::test]
async fn get_discards_part_file_of_older_version() {
    let scene = Scene::new().await;
    scene.dataset("/data/big.bin", &noise(6, SIZE)).await;
    scene.proxy.play(ResponseFault::Stall(1_000_000), 1);
    let process = scene.run(&["get", "/data/big.bin"]).spawn();
    scene.proxy.played().await;
    eventually("half of it is on the disk", async || {
        part_file_length(&scene) > 900_000
    })
    .await;
    process.stop("KILL").await;
    scene.proxy.pass();
    let newer = noise(7, SIZE);
    scene.app.bucket.put("data/big.bin", newer.clone()).await;
    let ended = scene.end(&["get", "/data/big.bin"]).await.ok();
    assert!(!ended.err.contains("resuming"), "{ended:#?}");
    assert!(
        ended.err.contains("no longer the object that was proven"),
        "{ended:#?}"
    );
    assert!(scene.read("big.bin") == newer);
    assert_eq!(scene.names(), ["big.bin"]);
}
