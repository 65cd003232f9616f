//! An upload in parts is rejected while a proven dataset exists at its path: the dataset stays
//! unchanged, and where a store makes that impossible, the dataset is recorded as drifted.

use serde_json::{Value, json};

use super::scene::{MIN, Scene, bytes, crc64, sha256};
use crate::support::app::{Setup, id};

/// Asserts that the dataset is unchanged and that the upload that should replace it has failed.
async fn assert_dataset_unchanged(scene: &Scene, dataset: &Value, failed: &Value, code: &str) {
    let path = dataset["path"].as_str().expect("a path");
    let stands = scene.app.bucket.get(&path[1..]).await;
    assert!(stands == b"proven", "{path}: other bytes stand there");
    let now = scene.app.read(dataset).await;
    assert_eq!(now["status"], "Uploaded", "{now:#}");
    assert_eq!(now["drift"], Value::Null, "{now:#}");
    assert_eq!(scene.app.event_types(dataset).await, ["dataset.uploaded"]);
    let upload = scene.app.read(failed).await;
    assert_eq!(upload["status"], "Error", "{upload:#}");
    assert_eq!(upload["error"]["code"], code, "{upload:#}");
    assert_eq!(scene.app.event_types(failed).await, ["upload.failed"]);
    assert_eq!(scene.open().await, [""; 0], "{path}: parts are left");
}

/// Asserts that the dataset is recorded as replaced, with an event.
async fn assert_dataset_drifted(scene: &Scene, dataset: &Value) {
    let now = scene.app.read(dataset).await;
    assert_eq!(now["status"], "Uploaded", "{now:#}");
    assert_eq!(now["drift"]["kind"], "replaced", "{now:#}");
    let expected = ["dataset.uploaded", "dataset.drifted"];
    assert_eq!(scene.app.event_types(dataset).await, expected);
}

#[tokio::test]
async fn wrong_checksum_or_etag_of_whole_is_found_before_object_is_made() {
    reject_wrong_wholes(&Scene::new().await).await;
    // In this store no part has a checksum, so that S3 compares the whole object.
    let (scene, _forgetful) = Scene::forgetful(Setup::new()).await;
    reject_wrong_wholes(&scene).await;
}

async fn reject_wrong_wholes(scene: &Scene) {
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
            assert_dataset_unchanged(scene, &dataset, &session, "object-mismatch").await;
            let now = scene.app.read(&session).await;
            assert_eq!(now["checksum"], before["checksum"], "the claim is kept");
        }
    }
}

#[tokio::test]
async fn wrong_checksum_of_whole_is_found_from_checksums_of_parts() {
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
        assert_dataset_unchanged(&scene, &dataset, &session, "object-mismatch").await;
    }
}

/// The janitor compares the parts in the same way.
#[tokio::test]
async fn janitor_makes_no_object_of_parts_with_wrong_checksum() {
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
async fn dataset_is_recorded_as_drifted_where_store_compares_no_checksum() {
    let (scene, _careless) = Scene::lenient_store(Setup::new()).await;
    let dataset = scene.app.upload("/a.bin", "proven", json!({})).await;
    let session = scene
        .sent("/a.bin", "abc", json!({"overwrite": true}))
        .await;
    let claims = json!({"checksum": crc64(b"other")});
    let reply = scene.acknowledge(&session, claims).await;
    reply.expect_problem(422, "object-mismatch");
    assert_eq!(scene.app.read(&session).await["status"], "Error");
    assert_dataset_drifted(&scene, &dataset).await;
    // The wrong object is removed with the failed upload.
    let path = format!("/uploads/{}", id(&session));
    scene.app.delete(&path).await.expect_ok();
    assert!(scene.app.bucket.head("a.bin").await.is_none());
}

#[tokio::test]
async fn failed_single_put_that_replaced_a_dataset_records_drift() {
    let scene = Scene::new().await;
    let dataset = scene.app.upload("/a.bin", "proven", json!({})).await;
    let session = scene.app.create("/a.bin", json!({"overwrite": true})).await;
    scene.app.put(&session, "abc").await.expect_ok();
    let reply = scene.acknowledge(&session, json!({"size": 4})).await;
    reply.expect_problem(422, "object-mismatch");
    assert_dataset_drifted(&scene, &dataset).await;
}

#[tokio::test]
async fn create_only_upload_keeps_dataset_where_store_ignores_conditions() {
    let (scene, _careless) = Scene::lenient_store(Setup::new()).await;
    let session = scene.sent("/a.bin", "abc", json!({})).await;
    let dataset = scene.app.upload("/a.bin", "proven", json!({})).await;
    let reply = scene.app.acknowledge(&session).await;
    let problem = reply.expect_problem(409, "dataset-exists");
    assert_eq!(problem["upload_id"], dataset["id"], "{problem:#}");
    assert_dataset_unchanged(&scene, &dataset, &session, "dataset-exists").await;

    // An object of another program is kept too.
    let session = scene.sent("/b.bin", "abc", json!({})).await;
    scene.app.bucket.put("b.bin", "a stranger's").await;
    let reply = scene.app.acknowledge(&session).await;
    reply.expect_problem(409, "dataset-exists");
    assert_eq!(scene.app.bucket.get("b.bin").await, b"a stranger's");

    // The same holds for another version than the one that `if_match` names.
    let first = scene.app.upload("/c.bin", "first", json!({})).await;
    let etag = &first["object"]["etag"];
    let session = scene.sent("/c.bin", "abc", json!({"if_match": etag})).await;
    scene.app.bucket.put("c.bin", "a stranger's").await;
    let reply = scene.app.acknowledge(&session).await;
    reply.expect_problem(409, "dataset-exists");
    assert_eq!(scene.app.bucket.get("c.bin").await, b"a stranger's");
    assert_eq!(scene.open().await, [""; 0], "parts are left");
}

/// The dataset appears between the broker's last check and the completion in the store.
#[tokio::test]
async fn create_only_upload_never_supersedes_dataset_that_appeared_meanwhile() {
    let (scene, lenient_store) = Scene::lenient_store(Setup::new()).await;
    let session = scene.sent("/a.bin", "abc", json!({})).await;
    lenient_store.block();
    let meanwhile = async {
        lenient_store.completion_waits().await;
        let dataset = scene.app.upload("/a.bin", "proven", json!({})).await;
        lenient_store.release();
        dataset
    };
    let (reply, dataset) = tokio::join!(scene.app.acknowledge(&session), meanwhile);
    let problem = reply.expect_problem(409, "dataset-exists");
    assert_eq!(problem["upload_id"], dataset["id"], "{problem:#}");
    let upload = scene.app.read(&session).await;
    assert_eq!(upload["status"], "Error", "{upload:#}");
    assert_eq!(upload["error"]["code"], "dataset-exists", "{upload:#}");
    assert_dataset_drifted(&scene, &dataset).await;
}
