//! `put` that is killed, interrupted and started again.

use std::collections::BTreeSet;
use std::fs::File;
use std::time::{Duration, SystemTime};

use chrono::TimeDelta;
use reqwest::StatusCode;

use super::fault_proxy::PutFault;
use super::scene::{Scene, noise};
use crate::support::app::id;
use crate::support::observe::eventually;
use crate::support::options;
use crate::support::seeded_rng::SeededRng;

const MIB: usize = 1 << 20;
const PUT: [&str; 6] = ["put", "--json", "--part-size", "5", "big", "/big"];

/// The numbers of the parts that the store has of an upload.
async fn parts_at_store(scene: &Scene, path: &str) -> BTreeSet<u64> {
    let uploads = scene.uploads(path).await;
    let Some(upload) = uploads
        .first()
        .filter(|upload| upload["status"] == "Pending")
    else {
        return BTreeSet::new();
    };
    let path = format!("/uploads/{}/parts", id(upload));
    let listed = scene.app.get(&path).await;
    let listed = listed.expect(StatusCode::OK);
    let parts = listed["uploaded"].as_array().expect("parts").iter();
    parts
        .map(|part| part["part_number"].as_u64().expect("a number"))
        .collect()
}

/// Starts the command and kills it when this many bytes were sent.
async fn run_and_kill(scene: &Scene, args: &[&str], after: usize) {
    scene.proxy.take();
    let process = scene.run(args).spawn();
    scene.proxy.sent(after as u64).await;
    process.stop("KILL").await;
}

/// Uploads a small file, and kills the client when the store has the object and the broker does not
/// know it yet.
async fn killed_before_its_acknowledge(scene: &Scene) {
    scene.write("a", b"1");
    let rows = scene.app.sql().await;
    // The acknowledge waits for the locked table until the client is killed.
    let lock = rows.batch_execute("BEGIN; LOCK TABLE events IN EXCLUSIVE MODE");
    lock.await.expect("a lock");
    let process = scene.run(&["put", "a", "/a"]).spawn();
    eventually("the store has it", async || {
        scene.app.bucket.head("a").await.is_some()
    })
    .await;
    process.stop("KILL").await;
    rows.batch_execute("COMMIT").await.expect("its end");
    assert_eq!(scene.remembered(), 1);
}

/// `kill -9` at random positions: parts that the store has by then are never sent again.
#[tokio::test]
async fn put_resumes_killed_upload_without_sending_stored_parts_again() {
    let scene = Scene::new().await;
    let bytes = noise(11, 61 * MIB + 17);
    scene.write("big", &bytes);
    let mut rng = SeededRng(options::seed(1));
    let mut left = options::kills(20);
    let mut round = 0;
    while left > 0 {
        round += 1;
        let path = format!("/big-{round}");
        let put = ["put", "--json", "--part-size", "5", "big", &path];
        let mut had = BTreeSet::new();
        // At most four kills for each file, so that it is not complete before the last.
        for _ in 0..(1 + rng.below(4)).min(left) {
            let still = (13 - had.len()) * 5 * MIB;
            run_and_kill(&scene, &put, rng.below((still / 2) as u64) as usize).await;
            left -= 1;
            assert_not_sent_again(&scene, &had);
            had = parts_at_store(&scene, &path).await;
        }
        scene.proxy.take();
        let report = scene.end(&put).await.ok().json();
        assert_not_sent_again(&scene, &had);
        assert_eq!(report["level"], "checksum", "round {round}: {report:#}");
        assert!(
            report["resumed_parts"].as_u64().unwrap() >= had.len() as u64,
            "{report:#}"
        );
        assert!(
            scene.stored(&path).await == bytes,
            "round {round}: other bytes"
        );
        assert_eq!(
            scene.uploads(&path).await.len(),
            1,
            "round {round}: one session"
        );
        assert_eq!(scene.remembered(), 0);
        scene.end(&["rm", &path]).await.ok();
    }
}

/// Asserts that none of these parts was sent again.
#[track_caller]
fn assert_not_sent_again(scene: &Scene, had: &BTreeSet<u64>) {
    let puts = scene.proxy.take().puts;
    let twice: Vec<_> = puts
        .iter()
        .filter(|&&part| had.contains(&part.into()))
        .collect();
    assert!(
        twice.is_empty(),
        "S3 had {twice:?} already, of {had:?}: {puts:?}"
    );
}

#[tokio::test]
async fn put_resumes_after_int_and_term_signals() {
    let scene = Scene::new().await;
    scene.write("big", &noise(12, 40 * MIB));
    for signal in ["INT", "TERM"] {
        let path = format!("/{signal}");
        let put = [&PUT[..5], &[&path]].concat();
        scene.proxy.take();
        let process = scene.run(&put).spawn();
        // Four parts are sent concurrently; one of them has arrived by then.
        scene.proxy.sent(21 * MIB as u64).await;
        process
            .stop(signal)
            .await
            .expect_failure(130, &["interrupted"]);
        eventually("a part is kept", async || {
            !parts_at_store(&scene, &path).await.is_empty()
        })
        .await;
        let had = parts_at_store(&scene, &path).await;
        scene.proxy.take();
        let ended = scene.end(&put).await.ok();
        assert!(ended.err.contains("of 8 parts are uploaded"), "{ended:#?}");
        assert_not_sent_again(&scene, &had);
    }
}

/// An upload can be resumed days later.
#[tokio::test]
async fn put_requests_multipart_session_that_lives_for_a_week() {
    let scene = Scene::new().await;
    scene.write("big", &noise(20, 30 * MIB));
    run_and_kill(&scene, &PUT, 12 * MIB).await;
    scene.app.advance(TimeDelta::days(6));
    assert_eq!(scene.app.janitor().await.expired, 0);
    let upload = scene.uploads("/big").await.remove(0);
    assert_eq!(upload["status"], "Pending", "{upload:#}");
}

/// Small files have one PUT: the next run finds that it arrived.
#[tokio::test]
async fn put_acknowledges_small_file_of_killed_run() {
    let scene = Scene::new().await;
    killed_before_its_acknowledge(&scene).await;
    let report = scene.end(&["put", "--json", "a", "/a"]).await.ok().json();
    assert_eq!(report["status"], "Uploaded", "{report:#}");
    assert_eq!(scene.uploads("/a").await.len(), 1, "one session");
    assert_eq!(scene.remembered(), 0);
}

#[tokio::test]
async fn second_put_of_same_file_is_rejected_while_first_runs() {
    let scene = Scene::new().await;
    scene.write("big", &noise(13, 40 * MIB));
    scene
        .proxy
        .harm([PutFault::Late(Duration::from_secs(3)); 4]);
    let first = scene.run(&PUT).spawn();
    eventually("the first has begun", async || scene.remembered() == 1).await;
    scene
        .end(&PUT)
        .await
        .expect_failure(6, &["is being uploaded by another process"]);
    first.wait().await.ok();
}

/// A changed file is another file: none of its bytes are mixed with the earlier ones.
#[tokio::test]
async fn put_restarts_after_file_changed_between_runs() {
    let scene = Scene::new().await;
    scene.write("big", &noise(14, 30 * MIB));
    run_and_kill(&scene, &PUT, 12 * MIB).await;
    let newer = noise(15, 30 * MIB);
    scene.write("big", &newer);
    let ended = scene.end(&PUT).await.ok();
    assert!(ended.err.contains("the file has changed"), "{ended:#?}");
    assert_eq!(ended.json()["resumed_parts"], 0, "{ended:#?}");
    assert!(scene.stored("/big").await == newer);
    let states: Vec<_> = scene.uploads("/big").await;
    let states: Vec<_> = states
        .iter()
        .map(|upload| upload["status"].clone())
        .collect();
    assert_eq!(states, ["Uploaded", "Cancelled"]);
    assert_eq!(scene.app.bucket.open_keys().await, [""; 0]);
}

#[tokio::test]
async fn put_cancels_session_when_file_is_replaced_during_upload() {
    let scene = Scene::new().await;
    scene.write("big", &noise(16, 30 * MIB));
    let newer = noise(17, 29 * MIB);
    // One part is delayed until after the change.
    scene.proxy.harm([PutFault::Late(Duration::from_secs(3))]);
    let process = scene.run(&PUT).spawn();
    scene.proxy.sent(8 * MIB as u64).await;
    scene.write("big", &newer);
    let ended = process.wait().await;
    ended.expect_failure(6, &["big changed during the upload"]);
    let uploads = scene.uploads("/big").await;
    assert_eq!(uploads[0]["status"], "Cancelled", "{uploads:#?}");
    assert_eq!(scene.app.bucket.open_keys().await, [""; 0]);
    assert_eq!(scene.remembered(), 0);
}

#[tokio::test]
async fn put_restarts_with_other_options_or_no_resume() {
    let scene = Scene::new().await;
    scene.write("big", &noise(18, 30 * MIB));
    run_and_kill(&scene, &PUT, 12 * MIB).await;
    let other = [&PUT[..4], &["--metadata", "a=b", "big", "/big"]].concat();
    run_and_kill(&scene, &other, 12 * MIB).await;
    let anew = [
        &PUT[..4],
        &["--metadata", "a=b", "--no-resume", "big", "/big"],
    ]
    .concat();
    let report = scene.end(&anew).await.ok().json();
    assert_eq!(report["resumed_parts"], 0, "{report:#}");
    let uploads = scene.uploads("/big").await;
    let states: Vec<_> = uploads
        .iter()
        .map(|upload| upload["status"].clone())
        .collect();
    assert_eq!(states, ["Uploaded", "Cancelled", "Cancelled"]);
    assert_eq!(scene.app.bucket.open_keys().await, [""; 0]);
}

#[tokio::test]
async fn put_creates_new_session_when_old_one_was_cancelled() {
    let scene = Scene::new().await;
    scene.write("big", &noise(19, 30 * MIB));
    run_and_kill(&scene, &PUT, 12 * MIB).await;
    let upload = scene.uploads("/big").await.remove(0);
    let cancelled = scene
        .app
        .post_empty(&format!("/uploads/{}/cancel", id(&upload)))
        .await;
    cancelled.expect(StatusCode::OK);
    let report = scene.end(&PUT).await.ok().json();
    assert_eq!(report["level"], "checksum", "{report:#}");
    assert_ne!(report["upload_id"], upload["id"], "{report:#}");
}

/// An upload that another client acknowledged is complete.
#[tokio::test]
async fn put_reports_upload_as_done_that_was_acknowledged_meanwhile() {
    let scene = Scene::new().await;
    killed_before_its_acknowledge(&scene).await;
    let upload = scene.uploads("/a").await.remove(0);
    scene.app.acknowledge(&upload).await.expect(StatusCode::OK);
    scene.proxy.take();
    let report = scene.end(&["put", "--json", "a", "/a"]).await.ok().json();
    assert_eq!(report["already"], true, "{report:#}");
    assert_eq!(scene.proxy.take().puts, [0; 0]);
    assert_eq!(scene.remembered(), 0);
}

#[tokio::test]
async fn put_removes_abandoned_records_after_ninety_days() {
    let scene = Scene::new().await;
    std::fs::create_dir_all(scene.memory()).expect("a folder");
    let days = |days: u64| SystemTime::now() - Duration::from_secs(days * 24 * 60 * 60);
    let make = |name: &str, age: u64| {
        let file = File::create(scene.memory().join(name)).expect("a file");
        file.set_modified(days(age)).expect("its time");
        file
    };
    make("old.jsonl", 91);
    make("young.jsonl", 89);
    let worked_on = make("worked-on.jsonl", 91);
    worked_on.lock().expect("a lock");
    scene.write("a", b"1");
    scene.end(&["put", "a", "/a"]).await.ok();
    let left = std::fs::read_dir(scene.memory()).expect("a folder");
    let left: BTreeSet<_> = left.map(|file| file.unwrap().file_name()).collect();
    let expected = ["worked-on.jsonl", "young.jsonl"].map(Into::into);
    assert_eq!(left, BTreeSet::from(expected));
}
