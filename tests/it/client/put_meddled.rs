//! `put` over wires that damage, lose and delay, to stores that restart, beside callers that
//! overwrite parts.

use std::time::Duration;

use aws_sdk_s3::primitives::ByteStream;
use chrono::TimeDelta;

use super::meddler::{Harm, Trick};
use super::scene::{Scene, noise};
use crate::support::observe::eventually;

const MIB: usize = 1 << 20;
const PUT: [&str; 6] = ["put", "--json", "--part-size", "5", "big", "/big"];

#[tokio::test]
async fn a_damaged_byte_is_refused_and_sent_again() {
    let scene = Scene::new().await;
    let bytes = noise(21, 17 * MIB);
    scene.write("big", &bytes);
    scene.meddler.harm([Harm::Flip, Harm::Flip]);
    let ended = scene.end(&PUT).await.ok();
    assert!(ended.err.contains("was damaged on the way"), "{ended:#?}");
    assert_eq!(ended.json()["level"], "checksum", "{ended:#?}");
    assert_eq!(scene.meddler.take().puts.len(), 6);
    assert!(scene.stored("/big").await == bytes);

    // In one request as well.
    scene.write("a", b"12345");
    scene.meddler.harm([Harm::Flip]);
    let ended = scene.end(&["put", "a", "/a"]).await.ok();
    assert!(ended.err.contains("was damaged on the way"), "{ended:#?}");
    assert_eq!(scene.stored("/a").await, b"12345");

    // Somebody who damages all of it is given up.
    scene.meddler.harm([Harm::Flip; 20]);
    let ended = scene.end(&["put", "a", "/b"]).await;
    ended.failed(1, &["BadDigest"]);
    assert_eq!(scene.app.get("/datasets/b").await.status, 404);
}

#[tokio::test]
async fn a_lost_answer_is_no_lost_upload() {
    let scene = Scene::new().await;
    scene.write("a", b"12345");
    scene.meddler.harm([Harm::LoseAnswer]);
    // The second try meets what the first one wrote: 412, and the acknowledge tells whose it is.
    let told = scene.end(&["put", "--json", "a", "/a"]).await.ok().json();
    assert_eq!(told["level"], "checksum", "{told:#}");
    assert_eq!(scene.meddler.take().puts.len(), 2);
    let bytes = noise(22, 17 * MIB);
    scene.write("big", &bytes);
    scene.meddler.harm([Harm::LoseAnswer, Harm::LoseAnswer]);
    scene.end(&PUT).await.ok();
    assert!(scene.stored("/big").await == bytes);
}

#[tokio::test]
async fn connections_that_end_are_made_anew() {
    let scene = Scene::new().await;
    let bytes = noise(23, 23 * MIB);
    scene.write("big", &bytes);
    // The answers of the first three are cut off in the middle.
    scene.meddler.play(Trick::Cut(20), 3);
    let told = scene.end(&PUT).await.ok().json();
    assert_eq!(told["level"], "checksum", "{told:#}");
    assert!(scene.stored("/big").await == bytes);
}

/// The URLs have ended when their PUTs come to the store; fresh ones have not.
#[tokio::test]
async fn urls_that_end_in_the_middle_are_asked_for_anew() {
    let scene = Scene::new().await;
    let bytes = noise(24, 23 * MIB);
    scene.write("big", &bytes);
    scene.write("a", b"12345");
    for (put, late, all) in [(&PUT[..], 4, 9), (&["put", "a", "/a"], 1, 2)] {
        scene.app.advance(-TimeDelta::hours(1));
        scene
            .meddler
            .harm(vec![Harm::Late(Duration::from_secs(2)); late]);
        let process = scene.run(put).spawn();
        eventually("they are under way", async || {
            scene.meddler.seen().puts.len() == late
        })
        .await;
        scene.app.advance(TimeDelta::hours(1));
        process.ended().await.ok();
        assert_eq!(scene.meddler.take().puts.len(), all);
    }
    assert!(scene.stored("/big").await == bytes);
}

#[tokio::test]
async fn the_store_is_restarted_in_the_middle() {
    let mut scene = Scene::through().await;
    let bytes = noise(25, 47 * MIB);
    scene.write("big", &bytes);
    let process = scene.run(&PUT).spawn();
    scene.meddler.sent(18 * MIB as u64).await;
    let stopped = scene.store.take().expect("a store").stop().await;
    let store = stopped.start().await;
    scene.meddler.leads(store.addr());
    scene.store = Some(store);
    let told = process.ended().await.ok().json();
    assert_eq!(told["level"], "checksum", "{told:#}");
    scene.end(&["get", "/big", "back"]).await.ok();
    assert!(scene.read("back") == bytes);
}

/// Whoever has the store's keys can write parts; they are told from ours, and sent again.
#[tokio::test]
async fn parts_that_somebody_else_overwrote_are_sent_again() {
    let scene = Scene::new().await;
    let bytes = noise(26, 40 * MIB);
    scene.write("big", &bytes);
    let process = scene.run(&PUT).spawn();
    scene.meddler.sent(22 * MIB as u64).await;
    process.stop("KILL").await;
    let bucket = &scene.app.bucket;
    let open = bucket.open_uploads().await;
    let [(key, upload_id)] = open.as_slice() else {
        panic!("{open:?}");
    };
    // Of the right size, of a wrong one, and one that was not sent at all yet.
    for (number, size) in [(1, 5 * MIB), (2, 6 * MIB), (8, 5 * MIB)] {
        let body = noise(27, size);
        let crc = crate::parts::scene::crc64(&body);
        let part = bucket.client.upload_part().bucket(&bucket.name).key(key);
        let part = part.upload_id(upload_id).part_number(number);
        let part = part.checksum_crc64_nvme(crc["value"].as_str().expect("a value"));
        let sent = part.body(ByteStream::from(body)).send().await;
        sent.expect("a part");
    }
    scene.meddler.take();
    let told = scene.end(&PUT).await.ok().json();
    assert_eq!(told["level"], "checksum", "{told:#}");
    let puts = scene.meddler.take().puts;
    for number in [1, 2, 8] {
        assert!(puts.contains(&number), "{number} in {puts:?}");
    }
    assert!(scene.stored("/big").await == bytes);
}

/// What appeared at the path meanwhile stays.
#[tokio::test]
async fn what_appeared_at_the_path_meanwhile_stays() {
    let scene = Scene::new().await;
    scene.write("big", &noise(28, 30 * MIB));
    let process = scene.run(&PUT).spawn();
    scene.meddler.sent(8 * MIB as u64).await;
    scene.app.bucket.put("big", b"faster".to_vec()).await;
    process.ended().await.failed(6, &["dataset-exists"]);
    assert_eq!(scene.stored("/big").await, b"faster");
    assert_eq!(scene.app.bucket.open_keys().await, [""; 0]);
    assert_eq!(scene.remembered(), 0);
}

/// A store that is away for good ends the run, and the next one goes on.
#[tokio::test]
async fn a_store_that_is_away_is_told_and_nothing_is_lost() {
    let mut scene = Scene::through().await;
    let bytes = noise(29, 20 * MIB);
    scene.write("big", &bytes);
    let stopped = scene.store.take().expect("a store").stop().await;
    let ended = scene.end(&PUT).await;
    ended.failed(3, &["S3 does not answer", "no data is lost"]);
    let store = stopped.start().await;
    scene.meddler.leads(store.addr());
    scene.store = Some(store);
    scene.end(&PUT).await.ok();
    scene.end(&["get", "/big", "back"]).await.ok();
    assert!(scene.read("back") == bytes);
}
