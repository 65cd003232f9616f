//! `put` over connections that damage, lose and delay bytes, with stores that restart, and next to
//! other programs that overwrite parts.

use std::time::Duration;

use aws_sdk_s3::primitives::ByteStream;
use chrono::TimeDelta;

use super::fault_proxy::{PutFault, ResponseFault};
use super::scene::{Scene, noise};
use crate::support::observe::eventually;

const MIB: usize = 1 << 20;
const PUT: [&str; 6] = ["put", "--json", "--part-size", "5", "big", "/big"];

#[tokio::test]
async fn put_sends_damaged_body_again_and_gives_up_in_the_end() {
    let scene = Scene::new().await;
    let bytes = noise(21, 17 * MIB);
    scene.write("big", &bytes);
    scene.proxy.harm([PutFault::Flip, PutFault::Flip]);
    let ended = scene.end(&PUT).await.ok();
    assert!(ended.err.contains("was damaged on the way"), "{ended:#?}");
    assert_eq!(ended.json()["level"], "checksum", "{ended:#?}");
    assert_eq!(scene.proxy.take().puts.len(), 6);
    assert!(scene.stored("/big").await == bytes);

    // The same without parts.
    scene.write("a", b"12345");
    scene.proxy.harm([PutFault::Flip]);
    let ended = scene.end(&["put", "a", "/a"]).await.ok();
    assert!(ended.err.contains("was damaged on the way"), "{ended:#?}");
    assert_eq!(scene.stored("/a").await, b"12345");

    // When every attempt is damaged, the client gives up.
    scene.proxy.harm([PutFault::Flip; 20]);
    let ended = scene.end(&["put", "a", "/b"]).await;
    ended.expect_failure(1, &["BadDigest"]);
    assert_eq!(scene.app.get("/datasets/b").await.status, 404);
}

#[tokio::test]
async fn put_succeeds_when_answer_of_store_is_lost() {
    let scene = Scene::new().await;
    scene.write("a", b"12345");
    scene.proxy.harm([PutFault::LoseAnswer]);
    // The second PUT finds the object of the first: 412, and the acknowledge proves that it is ours.
    let report = scene.end(&["put", "--json", "a", "/a"]).await.ok().json();
    assert_eq!(report["level"], "checksum", "{report:#}");
    assert_eq!(scene.proxy.take().puts.len(), 2);
    let bytes = noise(22, 17 * MIB);
    scene.write("big", &bytes);
    scene
        .proxy
        .harm([PutFault::LoseAnswer, PutFault::LoseAnswer]);
    scene.end(&PUT).await.ok();
    assert!(scene.stored("/big").await == bytes);
}

#[tokio::test]
async fn put_reconnects_after_broken_connections() {
    let scene = Scene::new().await;
    let bytes = noise(23, 23 * MIB);
    scene.write("big", &bytes);
    // The first three responses are cut off.
    scene.proxy.play(ResponseFault::Cut(20), 3);
    let report = scene.end(&PUT).await.ok().json();
    assert_eq!(report["level"], "checksum", "{report:#}");
    assert!(scene.stored("/big").await == bytes);
}

/// The URLs have expired when their PUTs arrive at the store; fresh ones are valid.
#[tokio::test]
async fn put_requests_fresh_urls_when_urls_expire_during_upload() {
    let scene = Scene::new().await;
    let bytes = noise(24, 23 * MIB);
    scene.write("big", &bytes);
    scene.write("a", b"12345");
    for (put, late, all) in [(&PUT[..], 4, 9), (&["put", "a", "/a"], 1, 2)] {
        scene.app.advance(-TimeDelta::hours(1));
        scene
            .proxy
            .harm(vec![PutFault::Late(Duration::from_secs(2)); late]);
        let process = scene.run(put).spawn();
        eventually("they are under way", async || {
            scene.proxy.seen().puts.len() == late
        })
        .await;
        scene.app.advance(TimeDelta::hours(1));
        process.wait().await.ok();
        assert_eq!(scene.proxy.take().puts.len(), all);
    }
    assert!(scene.stored("/big").await == bytes);
}

#[tokio::test]
async fn put_continues_after_restart_of_store() {
    let mut scene = Scene::behind_proxy().await;
    let bytes = noise(25, 47 * MIB);
    scene.write("big", &bytes);
    let process = scene.run(&PUT).spawn();
    scene.proxy.sent(18 * MIB as u64).await;
    let stopped = scene.store.take().expect("a store").stop().await;
    let store = stopped.start().await;
    scene.proxy.leads(store.addr());
    scene.store = Some(store);
    let report = process.wait().await.ok().json();
    assert_eq!(report["level"], "checksum", "{report:#}");
    scene.end(&["get", "/big", "back"]).await.ok();
    assert!(scene.read("back") == bytes);
}

/// Any holder of the store's credentials can write parts. The client distinguishes them from its
/// own and sends its own again.
#[tokio::test]
async fn put_sends_parts_again_that_another_program_overwrote() {
    let scene = Scene::new().await;
    let bytes = noise(26, 40 * MIB);
    scene.write("big", &bytes);
    let process = scene.run(&PUT).spawn();
    scene.proxy.sent(22 * MIB as u64).await;
    process.stop("KILL").await;
    let bucket = &scene.app.bucket;
    let open = bucket.open_uploads().await;
    let [(key, upload_id)] = open.as_slice() else {
        panic!("{open:?}");
    };
    // A part of the right size, one of a wrong size, and one that the client has not sent yet.
    for (number, size) in [(1, 5 * MIB), (2, 6 * MIB), (8, 5 * MIB)] {
        let body = noise(27, size);
        let crc = crate::parts::scene::crc64(&body);
        let part = bucket.client.upload_part().bucket(&bucket.name).key(key);
        let part = part.upload_id(upload_id).part_number(number);
        let part = part.checksum_crc64_nvme(crc["value"].as_str().expect("a value"));
        let sent = part.body(ByteStream::from(body)).send().await;
        sent.expect("a part");
    }
    scene.proxy.take();
    let report = scene.end(&PUT).await.ok().json();
    assert_eq!(report["level"], "checksum", "{report:#}");
    let puts = scene.proxy.take().puts;
    for number in [1, 2, 8] {
        assert!(puts.contains(&number), "{number} in {puts:?}");
    }
    assert!(scene.stored("/big").await == bytes);
}

/// An object that another program wrote to the path during the upload is kept.
#[tokio::test]
async fn put_keeps_object_that_appeared_at_path_during_upload() {
    let scene = Scene::new().await;
    scene.write("big", &noise(28, 30 * MIB));
    let process = scene.run(&PUT).spawn();
    scene.proxy.sent(8 * MIB as u64).await;
    scene.app.bucket.put("big", b"faster".to_vec()).await;
    process.wait().await.expect_failure(6, &["dataset-exists"]);
    assert_eq!(scene.stored("/big").await, b"faster");
    assert_eq!(scene.app.bucket.open_keys().await, [""; 0]);
    assert_eq!(scene.remembered(), 0);
}

/// A store that stays unavailable ends the run, and the next run continues.
#[tokio::test]
async fn put_reports_unavailable_store_and_next_run_resumes() {
    let mut scene = Scene::behind_proxy().await;
    let bytes = noise(29, 20 * MIB);
    scene.write("big", &bytes);
    let stopped = scene.store.take().expect("a store").stop().await;
    let ended = scene.end(&PUT).await;
    ended.expect_failure(3, &["S3 does not answer", "no data is lost"]);
    let store = stopped.start().await;
    scene.proxy.leads(store.addr());
    scene.store = Some(store);
    scene.end(&PUT).await.ok();
    scene.end(&["get", "/big", "back"]).await.ok();
    assert!(scene.read("back") == bytes);
}
