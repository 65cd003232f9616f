//! Changes of a proven object are recorded as drift when S3's events report them.

use serde_json::{Value, json};
use upload_broker::arrivals::Round;

use super::scene::Scene;
use crate::support::app::id;

/// The drift of an upload: `missing`, `replaced` or null.
async fn drift(scene: &Scene, upload: &Value) -> Value {
    scene.app.read(upload).await["drift"]["kind"].clone()
}

/// Creates an upload that its event has proven, and empties the queue.
async fn uploaded(scene: &Scene) -> Value {
    let session = scene.sent("a.csv", json!({})).await;
    let sum = scene.rounds(2).await;
    assert_eq!((sum.ignored, sum.done), (1, 1), "{sum:?}");
    session
}

#[tokio::test]
async fn removed_and_restored_and_replaced_objects_are_recorded_as_drift() {
    let scene = Scene::new().await;
    let upload = uploaded(&scene).await;
    let bucket = &scene.app.bucket;
    let remove = bucket.client.delete_object().bucket(&bucket.name);
    remove.key("a.csv").send().await.expect("a delete");
    assert_eq!(scene.rounds(1).await.done, 1);
    assert_eq!(drift(&scene, &upload).await, "missing");
    assert_eq!(scene.app.read(&upload).await["status"], "Uploaded");

    bucket
        .put_as(id(&upload), "a.csv", "id\n1\n", "text/csv")
        .await;
    assert_eq!(scene.rounds(1).await.done, 1);
    assert_eq!(drift(&scene, &upload).await, Value::Null, "the same bytes");

    bucket.put("a.csv", "other bytes").await;
    assert_eq!(scene.rounds(1).await.done, 1);
    assert_eq!(drift(&scene, &upload).await, "replaced");
    assert_eq!(
        scene.app.event_types(&upload).await,
        [
            "dataset.uploaded",
            "dataset.drifted",
            "dataset.restored",
            "dataset.drifted"
        ]
    );
}

#[tokio::test]
async fn repeated_s3_events_record_drift_once() {
    let scene = Scene::new().await;
    let upload = uploaded(&scene).await;
    scene.app.bucket.put("a.csv", "other bytes").await;
    for _ in 0..5 {
        scene.send_event("ObjectCreated:Put", "a.csv").await;
    }
    let sum = scene.rounds(6).await;
    assert_eq!(sum.done, 6, "{sum:?}");
    let types = scene.app.event_types(&upload).await;
    assert_eq!(types, ["dataset.uploaded", "dataset.drifted"]);
}

#[tokio::test]
async fn failed_overwrite_records_drift_of_the_dataset() {
    let scene = Scene::new().await;
    let upload = uploaded(&scene).await;
    let more = json!({"overwrite": true, "size": 1});
    let wrong = scene.app.create("a.csv", more).await;
    let bucket = &scene.app.bucket;
    bucket
        .put_as(id(&wrong), "a.csv", "too long", "text/csv")
        .await;
    assert_eq!(scene.rounds(1).await.done, 1);
    assert_eq!(scene.app.read(&wrong).await["status"], "Error");
    assert_eq!(drift(&scene, &upload).await, "replaced");
}

#[tokio::test]
async fn later_upload_at_the_same_path_is_no_drift() {
    let scene = Scene::new().await;
    let upload = uploaded(&scene).await;
    let later = scene.app.create("a.csv", json!({"overwrite": true})).await;
    scene.app.put(&later, "other bytes").await.expect_ok();
    // An event of the first object arrives last.
    scene.send_event("ObjectCreated:Put", "a.csv").await;
    assert_eq!(scene.rounds(2).await.done, 2);
    assert_eq!(scene.app.read(&upload).await["status"], "Superseded");
    assert_eq!(scene.app.read(&later).await["status"], "Uploaded");
    assert_eq!(drift(&scene, &upload).await, Value::Null);
    assert_eq!(drift(&scene, &later).await, Value::Null);
}

#[tokio::test]
async fn delete_by_the_broker_is_no_drift() {
    let scene = Scene::new().await;
    let upload = uploaded(&scene).await;
    scene.app.delete("/datasets/a.csv").await.expect_ok();
    let round = scene.round().await;
    let expected = Round {
        received: 1,
        ignored: 1,
        ..Round::default()
    };
    assert_eq!(round, expected);
    let types = scene.app.event_types(&upload).await;
    assert_eq!(
        types,
        ["dataset.uploaded", "dataset.deleting", "dataset.deleted"]
    );
}
