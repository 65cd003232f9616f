//! A proven dataset stands at the path of an upload in parts: what refuses the upload leaves the
//! dataset as it was, and where it could not, the dataset's row says what happened.

use serde_json::{Value, json};

use super::scene::{MIN, Scene, bytes, crc64, sha256};
use crate::support::app::{Setup, id};

/// The dataset is as it was, and the upload that wanted to replace it has failed.
async fn stays(scene: &Scene, dataset: &Value, failed: &Value, code: &str) {
    let path = dataset["path"].as_str().expect("a path");
    let stands = scene.app.bucket.get(&path[1..]).await;
    assert!(stands == b"proven", "{path}: other bytes stand there");
    let now = scene.app.read(dataset).await;
    assert_eq!(now["status"], "Uploaded", "{now:#}");
    assert_eq!(now["drift"], Value::Null, "{now:#}");
    assert_eq!(scene.app.told(dataset).await, ["dataset.uploaded"]);
    let upload = scene.app.read(failed).await;
    assert_eq!(upload["status"], "Error", "{upload:#}");
    assert_eq!(upload["error"]["code"], code, "{upload:#}");
    assert_eq!(scene.app.told(failed).await, ["upload.failed"]);
    assert_eq!(scene.open().await, [""; 0], "{path}: parts are left");
}

/// The dataset is noted to be replaced, with its event.
async fn has_drifted(scene: &Scene, dataset: &Value) {
    let now = scene.app.read(dataset).await;
    assert_eq!(now["status"], "Uploaded", "{now:#}");
    assert_eq!(now["drift"]["kind"], "replaced", "{now:#}");
    let told = ["dataset.uploaded", "dataset.drifted"];
    assert_eq!(scene.app.told(dataset).await, told);
}

#[tokio::test]
async fn a_wrong_checksum_or_etag_of_the_whole_is_found_before_the_object_is_made() {
    wrong_wholes(&Scene::new().await).await;
    // No part has a checksum: S3 compares the whole.
    let (scene, _forgetful) = Scene::forgetful(Setup::new()).await;
    wrong_wholes(&scene).await;
}

async fn wrong_wholes(scene: &Scene) {
    let etag = "\"0123456789abcdef0123456789abcdef-1\"";
    for (path, declared, claims, field) in [
        (
            "/declared.bin",
            json!({"checksum": crc64(b"other")}),
            json!({}),
            "checksum",
        ),
        (
            "/claimed.bin",
            json!({}),
            json!({"checksum": crc64(b"other")}),
            "checksum",
        ),
        ("/etag.bin", json!({}), json!({"etag": etag}), "etag"),
    ] {
        for write in ["overwrite", "if_match"] {
            let path = format!("{path}.{write}");
            let dataset = scene.app.upload(&path, "proven", json!({})).await;
            let mut more = declared.clone();
            more[write] = match write {
                "overwrite" => json!(true),
                _ => dataset["object"]["etag"].clone(),
            };
            let session = scene.sent(&path, "abc", more).await;
            let before = scene.app.read(&session).await;
            let reply = scene.acknowledge(&session, claims.clone()).await;
            let problem = reply.expect_problem(422, "object-mismatch");
            assert_eq!(problem["mismatches"][0]["field"], field, "{problem:#}");
            stays(scene, &dataset, &session, "object-mismatch").await;
            let now = scene.app.read(&session).await;
            assert_eq!(now["checksum"], before["checksum"], "the claim is kept");
        }
    }
}

#[tokio::test]
async fn the_checksums_of_the_parts_are_enough_to_find_it() {
    let scene = Scene::new().await;
    let whole = bytes(MIN + 3);
    let (first, last) = whole.split_at(MIN);
    let mut composite = sha256(b"other");
    let value = composite["value"].as_str().expect("a value");
    composite["value"] = json!(format!("{value}-2"));
    type Sum = fn(&[u8]) -> Value;
    for (algorithm, of, claimed) in [
        ("CRC64NVME", crc64 as Sum, crc64(first)),
        ("SHA256", sha256 as Sum, composite),
    ] {
        let path = format!("/{algorithm}.bin");
        let dataset = scene.app.upload(&path, "proven", json!({})).await;
        let more = json!({"part_checksums": algorithm, "overwrite": true});
        let session = scene.begin(&path, whole.len(), more).await;
        let asked = json!({"parts": [
            {"part_number": 1, "checksum": of(first)},
            {"part_number": 2, "checksum": of(last)},
        ]});
        let parts = scene.asked(&session, asked).await;
        scene.send(&parts[0], first).await.expect_ok();
        scene.send(&parts[1], last).await.expect_ok();
        let reply = scene
            .acknowledge(&session, json!({"checksum": claimed}))
            .await;
        let problem = reply.expect_problem(422, "object-mismatch");
        assert_eq!(problem["mismatches"][0]["field"], "checksum", "{problem:#}");
        stays(&scene, &dataset, &session, "object-mismatch").await;
    }
}

/// The janitor holds the parts to the same.
#[tokio::test]
async fn the_janitor_makes_no_object_of_parts_with_another_checksum() {
    let scene = Scene::new().await;
    let dataset = scene.app.upload("/a.bin", "proven", json!({})).await;
    let more = json!({"checksum": crc64(b"other"), "overwrite": true});
    let session = scene.sent("/a.bin", "abc", more).await;
    scene.app.advance(chrono::TimeDelta::hours(1));
    assert_eq!(scene.app.janitor().await.expired, 1);
    assert_eq!(scene.app.bucket.get("a.bin").await, b"proven");
    let now = scene.app.read(&dataset).await;
    assert_eq!(now["drift"], Value::Null, "{now:#}");
    let upload = scene.app.read(&session).await;
    assert_eq!(upload["status"], "Expired", "{upload:#}");
    assert_eq!(upload["error"]["code"], "object-mismatch", "{upload:#}");
    assert_eq!(scene.open().await, [""; 0], "parts are left");
}

#[tokio::test]
async fn where_the_store_compares_nothing_the_dataset_is_marked_with_the_failure() {
    let (scene, _careless) = Scene::careless(Setup::new()).await;
    let dataset = scene.app.upload("/a.bin", "proven", json!({})).await;
    let session = scene
        .sent("/a.bin", "abc", json!({"overwrite": true}))
        .await;
    let claims = json!({"checksum": crc64(b"other")});
    let reply = scene.acknowledge(&session, claims).await;
    reply.expect_problem(422, "object-mismatch");
    assert_eq!(scene.app.read(&session).await["status"], "Error");
    has_drifted(&scene, &dataset).await;
    // The wrong object goes with the upload that failed.
    let path = format!("/uploads/{}", id(&session));
    scene.app.delete(&path).await.expect_ok();
    assert!(scene.app.bucket.head("a.bin").await.is_none());
}

#[tokio::test]
async fn a_single_put_that_replaced_a_dataset_and_failed_says_so_too() {
    let scene = Scene::new().await;
    let dataset = scene.app.upload("/a.bin", "proven", json!({})).await;
    let session = scene.app.create("/a.bin", json!({"overwrite": true})).await;
    scene.app.put(&session, "abc").await.expect_ok();
    let reply = scene.acknowledge(&session, json!({"size": 4})).await;
    reply.expect_problem(422, "object-mismatch");
    has_drifted(&scene, &dataset).await;
}

#[tokio::test]
async fn a_create_only_upload_asks_for_the_dataset_although_the_store_ignores_the_condition() {
    let (scene, _careless) = Scene::careless(Setup::new()).await;
    let session = scene.sent("/a.bin", "abc", json!({})).await;
    let dataset = scene.app.upload("/a.bin", "proven", json!({})).await;
    let reply = scene.app.acknowledge(&session).await;
    let problem = reply.expect_problem(409, "dataset-exists");
    assert_eq!(problem["upload_id"], dataset["id"], "{problem:#}");
    stays(&scene, &dataset, &session, "dataset-exists").await;

    // What is no dataset of ours is left alone too.
    let session = scene.sent("/b.bin", "abc", json!({})).await;
    scene.app.bucket.put("b.bin", "a stranger's").await;
    let reply = scene.app.acknowledge(&session).await;
    reply.expect_problem(409, "dataset-exists");
    assert_eq!(scene.app.bucket.get("b.bin").await, b"a stranger's");

    // So is another version than the one that was named.
    let first = scene.app.upload("/c.bin", "first", json!({})).await;
    let etag = &first["object"]["etag"];
    let session = scene.sent("/c.bin", "abc", json!({"if_match": etag})).await;
    scene.app.bucket.put("c.bin", "a stranger's").await;
    let reply = scene.app.acknowledge(&session).await;
    reply.expect_problem(409, "dataset-exists");
    assert_eq!(scene.app.bucket.get("c.bin").await, b"a stranger's");
    assert_eq!(scene.open().await, [""; 0], "parts are left");
}

/// The dataset comes between the last question and the store's own work.
#[tokio::test]
async fn a_create_only_upload_never_supersedes() {
    let (scene, careless) = Scene::careless(Setup::new()).await;
    let session = scene.sent("/a.bin", "abc", json!({})).await;
    careless.hold();
    let meanwhile = async {
        careless.completion_waits().await;
        let dataset = scene.app.upload("/a.bin", "proven", json!({})).await;
        careless.release();
        dataset
    };
    let (reply, dataset) = tokio::join!(scene.app.acknowledge(&session), meanwhile);
    let problem = reply.expect_problem(409, "dataset-exists");
    assert_eq!(problem["upload_id"], dataset["id"], "{problem:#}");
    let upload = scene.app.read(&session).await;
    assert_eq!(upload["status"], "Error", "{upload:#}");
    assert_eq!(upload["error"]["code"], "dataset-exists", "{upload:#}");
    has_drifted(&scene, &dataset).await;
}
