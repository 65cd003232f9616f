//! `get` that is killed, interrupted and started again.

use super::meddler::Trick;
use super::scene::{Scene, noise};
use crate::support::dice::Dice;
use crate::support::knobs;
use crate::support::observe::eventually;

const SIZE: usize = 2_000_000;

/// `kill -9` at random places: what is on the disk by then is not asked for again.
#[tokio::test]
async fn a_killed_download_goes_on_where_it_was() {
    let scene = Scene::new().await;
    let bytes = noise(2, SIZE);
    scene.dataset("/data/big.bin", &bytes).await;
    let mut dice = Dice(knobs::seed(1));
    for round in 0..5 {
        let mut there = 0;
        for _ in 0..=dice.roll(2) {
            let left = SIZE as u64 - there;
            if left < 50_000 {
                break;
            }
            let place = 2_000 + dice.roll(left - 10_000);
            scene.meddler.take();
            scene.meddler.play(Trick::Stall(place), 1);
            let process = scene.run(&["get", "/data/big.bin"]).spawn();
            let passed = scene.meddler.played().await.answered;
            let least = there + passed - 2_000;
            eventually("what came is on the disk", async || grown(&scene) > least).await;
            process.stop("KILL").await;
            scene.meddler.pass();
            asked_from(&scene, there);
            there = grown(&scene);
            assert!(
                !scene.names().contains(&"big.bin".to_owned()),
                "half a file"
            );
        }
        scene.meddler.take();
        let told = scene
            .end(&["get", "--json", "/data/big.bin"])
            .await
            .ok()
            .json();
        assert_eq!(told["resumed_at"], there, "round {round}: {told:#}");
        assert_eq!(told["level"], "checksum", "round {round}: {told:#}");
        let seen = asked_from(&scene, there);
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

/// How many bytes the hidden file has.
fn grown(scene: &Scene) -> u64 {
    let about = scene.part().and_then(|part| std::fs::metadata(part).ok());
    about.map_or(0, |about| about.len())
}

/// The store was asked for the bytes from `from` on, once; how many it sent.
#[track_caller]
fn asked_from(scene: &Scene, from: u64) -> u64 {
    let seen = scene.meddler.take();
    let asked = seen.asked.to_lowercase();
    assert_eq!(asked.matches("get /").count(), 1, "{asked}");
    let range = format!("range: bytes={from}-");
    assert_eq!(asked.contains(&range), from > 0, "no {range:?} in {asked}");
    assert!(asked.contains("if-match: \""), "{asked}");
    seen.answered
}

#[tokio::test]
async fn ctrl_c_leaves_what_the_next_run_goes_on_with() {
    for (signal, after) in [("INT", 900_000), ("TERM", 1_500_000)] {
        let scene = Scene::new().await;
        let bytes = noise(3, SIZE);
        scene.dataset("/data/big.bin", &bytes).await;
        scene.meddler.play(Trick::Stall(after), 1);
        let process = scene.run(&["get", "/data/big.bin"]).spawn();
        scene.meddler.played().await;
        eventually("what came is on the disk", async || {
            grown(&scene) > after - 2_000
        })
        .await;
        process.stop(signal).await.failed(130, &["interrupted"]);
        scene.meddler.pass();
        let there = grown(&scene);
        let ended = scene.end(&["get", "/data/big.bin"]).await.ok();
        assert!(ended.err.contains("resuming at "), "{there}: {ended:#?}");
        assert!(scene.read("big.bin") == bytes);
    }
}

/// Two at once into one file would spoil it.
#[tokio::test]
async fn two_runs_keep_apart() {
    let scene = Scene::new().await;
    let bytes = noise(4, SIZE);
    scene.dataset("/data/big.bin", &bytes).await;
    scene.meddler.play(Trick::Stall(800_000), 1);
    let first = scene.run(&["get", "/data/big.bin"]).spawn();
    scene.meddler.played().await;
    let ended = scene.end(&["get", "/data/big.bin"]).await;
    ended.failed(6, &["is being downloaded by another process"]);
    scene.meddler.pass();
    first.ended().await.ok();
    assert!(scene.read("big.bin") == bytes);
}

/// What rotted on the disk between two runs is noticed, and everything is had anew.
#[tokio::test]
async fn what_rotted_in_between_is_noticed() {
    let scene = Scene::new().await;
    let bytes = noise(5, SIZE);
    scene.dataset("/data/big.bin", &bytes).await;
    scene.meddler.play(Trick::Stall(1_000_000), 1);
    let process = scene.run(&["get", "/data/big.bin"]).spawn();
    scene.meddler.played().await;
    eventually("half of it is on the disk", async || {
        grown(&scene) > 900_000
    })
    .await;
    process.stop("KILL").await;
    scene.meddler.pass();
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

/// A half download of an older version is no beginning of the newer one, and does not stay.
#[tokio::test]
async fn a_newer_version_is_not_added_to_an_older_ones_half() {
    let scene = Scene::new().await;
    scene.dataset("/data/big.bin", &noise(6, SIZE)).await;
    scene.meddler.play(Trick::Stall(1_000_000), 1);
    let process = scene.run(&["get", "/data/big.bin"]).spawn();
    scene.meddler.played().await;
    eventually("half of it is on the disk", async || {
        grown(&scene) > 900_000
    })
    .await;
    process.stop("KILL").await;
    scene.meddler.pass();
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
