//! `put` of files that change between two runs or during one: the bytes of two versions are never
//! mixed.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};

use super::fault_proxy::PutFault;
use super::scene::{Scene, noise};
use crate::support::observe::eventually;

const MIB: usize = 1 << 20;
const PUT: [&str; 6] = ["put", "--json", "--part-size", "5", "big", "/big"];

/// Starts the command and kills it when this many bytes were sent.
async fn run_and_kill(scene: &Scene, args: &[&str], after: usize) {
    scene.proxy.take();
    let process = scene.run(args).spawn();
    scene.proxy.sent(after as u64).await;
    process.stop("KILL").await;
}

fn big(scene: &Scene) -> PathBuf {
    scene.folder().join("big")
}

/// Writes other bytes to the file, and keeps its modification time.
fn rewrite(file: &Path, bytes: &[u8]) {
    let about = std::fs::metadata(file).expect("the file");
    std::fs::write(file, bytes).expect("other bytes");
    let file = std::fs::File::options().write(true).open(file);
    let modified = about.modified().expect("a time");
    file.expect("the file")
        .set_modified(modified)
        .expect("its time");
}

/// Replaces the file stamp in the only record that the client keeps by the stamp of the file as it
/// is now. That is what a file system without inodes and inode times would have left.
fn forge_stamp(scene: &Scene, file: &Path) {
    let mut kept = std::fs::read_dir(scene.memory()).expect("a folder");
    let kept = kept.next().expect("a record").expect("a record").path();
    let text = std::fs::read_to_string(&kept).expect("a record");
    let (first, rest) = text.split_once('\n').expect("a line");
    let mut first: Value = serde_json::from_str(first).expect("JSON");
    let about = std::fs::metadata(file).expect("the file");
    first["stamp"] = json!({
        "size": about.len(),
        "modified": [about.mtime(), about.mtime_nsec()],
        "changed": [about.ctime(), about.ctime_nsec()],
        "device": about.dev(),
        "inode": about.ino(),
    });
    std::fs::write(&kept, format!("{first}\n{rest}")).expect("a record");
}

#[tokio::test]
async fn put_restarts_after_file_was_rewritten_with_same_size_and_time() {
    let scene = Scene::new().await;
    scene.write("big", &noise(41, 30 * MIB));
    run_and_kill(&scene, &PUT, 12 * MIB).await;
    let newer = noise(42, 30 * MIB);
    rewrite(&big(&scene), &newer);
    let ended = scene.end(&PUT).await.ok();
    assert!(ended.err.contains("the file has changed"), "{ended:#?}");
    assert!(scene.stored("/big").await == newer);
    assert_eq!(scene.app.bucket.open_keys().await, [""; 0]);
}

#[tokio::test]
async fn put_restarts_after_another_file_was_renamed_over_it() {
    let scene = Scene::new().await;
    scene.write("big", &noise(43, 30 * MIB));
    run_and_kill(&scene, &PUT, 12 * MIB).await;
    let newer = noise(44, 30 * MIB);
    scene.write("other", &newer);
    let about = std::fs::metadata(big(&scene)).expect("the file");
    let other = std::fs::File::options()
        .write(true)
        .open(scene.folder().join("other"));
    let modified = about.modified().expect("a time");
    other
        .expect("the other")
        .set_modified(modified)
        .expect("its time");
    std::fs::rename(scene.folder().join("other"), big(&scene)).expect("a rename");
    let ended = scene.end(&PUT).await.ok();
    assert!(ended.err.contains("the file has changed"), "{ended:#?}");
    assert!(scene.stored("/big").await == newer);
}

/// When no metadata shows that the file changed, its bytes do: with the store's checksums of the
/// parts, with those that the client recorded, and when neither can be trusted.
#[tokio::test]
async fn put_hashes_parts_of_earlier_run_again_before_reusing_them() {
    for (scene, checksum) in [
        (Scene::new().await, "crc64nvme"),
        (Scene::new().await, "none"),
        (Scene::with_other_store().await, "crc64nvme"),
        (Scene::with_other_store().await, "none"),
    ] {
        let older = noise(45, 30 * MIB);
        scene.write("big", &older);
        let put = [&PUT[..4], &["--checksum", checksum, "big", "/big"]].concat();
        run_and_kill(&scene, &put, 22 * MIB).await;
        // The first part is the same in both.
        let newer = [&older[..5 * MIB], &noise(46, 25 * MIB)].concat();
        rewrite(&big(&scene), &newer);
        forge_stamp(&scene, &big(&scene));
        let ended = scene.end(&put).await.ok();
        let resumed = &ended.json()["resumed_parts"];
        assert!(resumed.as_u64() <= Some(1), "{checksum}: {ended:#?}");
        assert!(
            scene.stored("/big").await == newer,
            "{checksum}: {ended:#?}"
        );
    }
}

/// The whole small file arrived, and its acknowledge was never sent.
#[tokio::test]
async fn put_uploads_small_file_again_when_it_changed_before_acknowledge() {
    for checksum in ["crc64nvme", "none"] {
        let scene = Scene::new().await;
        scene.write("a", b"older");
        let put = [
            "put",
            "--json",
            "--overwrite",
            "--checksum",
            checksum,
            "a",
            "/a",
        ];
        let rows = scene.app.sql().await;
        // The acknowledge waits for the locked table until the client is killed.
        let lock = rows.batch_execute("BEGIN; LOCK TABLE events IN EXCLUSIVE MODE");
        lock.await.expect("a lock");
        let process = scene.run(&put).spawn();
        eventually("the store has it", async || {
            scene.app.bucket.head("a").await.is_some()
        })
        .await;
        process.stop("KILL").await;
        rows.batch_execute("COMMIT").await.expect("its end");
        let file = scene.folder().join("a");
        rewrite(&file, b"newer");
        forge_stamp(&scene, &file);
        let ended = scene.end(&put).await.ok();
        assert_eq!(scene.stored("/a").await, b"newer", "{checksum}: {ended:#?}");
        assert_eq!(ended.json()["already"], false, "{checksum}: {ended:#?}");
    }
}

/// In place, with its size and its modification time kept.
#[tokio::test]
async fn put_cancels_session_when_file_is_rewritten_in_place_during_upload() {
    let scene = Scene::new().await;
    scene.write("big", &noise(47, 30 * MIB));
    let newer = noise(48, 30 * MIB);
    // One part is delayed until after the change.
    scene.proxy.harm([PutFault::Late(Duration::from_secs(3))]);
    let process = scene.run(&PUT).spawn();
    scene.proxy.sent(8 * MIB as u64).await;
    rewrite(&big(&scene), &newer);
    let ended = process.wait().await;
    ended.expect_failure(6, &["big changed during the upload"]);
    let uploads = scene.uploads("/big").await;
    assert_eq!(uploads[0]["status"], "Cancelled", "{uploads:#?}");
    assert_eq!(scene.app.bucket.open_keys().await, [""; 0]);
    assert_eq!(scene.remembered(), 0);
}
