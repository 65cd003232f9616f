//! Several requests that end the same upload at the same time.

use reqwest::StatusCode;
use serde_json::{Value, json};

use super::scene::{Scene, crc64};
use crate::support::app::{Setup, id};
use crate::support::observe::eventually;

#[tokio::test]
async fn twenty_concurrent_acknowledges_make_one_transition() {
    let scene = Scene::new().await;
    let session = scene
        .sent("a.bin", "abc", json!({"checksum": crc64(b"abc")}))
        .await;
    let acknowledges = (0..20).map(|_| scene.app.acknowledge(&session));
    let replies = futures::future::join_all(acknowledges).await;
    let mut answers = replies
        .into_iter()
        .map(|reply| reply.expect(StatusCode::OK));
    let first = answers.next().expect("an answer");
    assert_eq!(first["verification"]["level"], "checksum", "{first:#}");
    for answer in answers {
        assert_eq!(answer, first);
    }
    assert_eq!(scene.app.event_types(&session).await, ["dataset.uploaded"]);
    assert_eq!(scene.app.bucket.get("a.bin").await, b"abc");
}

/// The second acknowledge arrives while S3 completes the upload. It waits for the first one instead
/// of asking S3 for the same again.
#[tokio::test]
async fn second_acknowledge_waits_for_the_first_and_gets_the_same_answer() {
    let (scene, gate) = Scene::gated(Setup::new()).await;
    let session = scene.sent("a.bin", "abc", json!({"overwrite": true})).await;
    gate.block();
    let first = scene.acknowledge(&session, json!({"checksum": crc64(b"abc")}));
    let second = async {
        gate.request_waits().await;
        let release = async {
            eventually("both are under way", async || {
                scene.app.broker.tasks.use_cases.len() == 2
            })
            .await;
            gate.restore();
        };
        let more = json!({"comments": "too late"});
        tokio::join!(scene.acknowledge(&session, more), release).0
    };
    let (one, other) = tokio::join!(first, second);
    let (one, other) = (one.expect(StatusCode::OK), other.expect(StatusCode::OK));
    assert_eq!(one, other);
    assert_eq!(one["verification"]["level"], "checksum", "{one:#}");
    assert_eq!(one["comments"], Value::Null, "{one:#}");
    assert_eq!(scene.app.event_types(&session).await, ["dataset.uploaded"]);
    for operation in ["ListParts", "CompleteMultipartUpload", "HeadObject"] {
        assert_eq!(calls(&scene, operation).await, 1, "{operation}");
    }
}

/// How often S3 was asked for an operation.
async fn calls(scene: &Scene, operation: &str) -> u64 {
    let metrics = scene.app.get("/metrics").await.expect_ok().body;
    let count = format!("_s3_call_duration_seconds_count{{operation=\"{operation}\"");
    let lines = metrics.lines().filter(|line| line.contains(&count));
    let counts = lines.map(|line| line.rsplit(' ').next().expect("a count").parse::<u64>());
    counts.map(|count| count.expect("a number")).sum()
}

/// Whichever request wins: a cancelled upload leaves no object, no parts, and one event.
#[tokio::test]
async fn cancel_during_completion_leaves_no_object_and_no_parts() {
    for answers_only in [true, false] {
        let (scene, gate) = Scene::gated(Setup::new()).await;
        let session = scene.sent("a.bin", "abc", json!({"overwrite": true})).await;
        let held = async {
            match answers_only {
                true => gate.block_responses(),
                false => gate.block(),
            }
        };
        let path = format!("/uploads/{}/cancel", id(&session));
        let cancel = async {
            match answers_only {
                true => gate.response_waits().await,
                false => gate.request_waits().await,
            }
            let release = async {
                eventually("the row is cancelled", async || {
                    scene.app.read(&session).await["status"] == "Cancelled"
                })
                .await;
                gate.restore();
            };
            tokio::join!(scene.app.post_empty(&path), release).0
        };
        let acknowledge = scene
            .app
            .run_before_write(scene.app.acknowledge(&session), held);
        let (acknowledged, cancelled) = tokio::join!(acknowledge, cancel);
        cancelled.expect(StatusCode::OK);
        let problem = acknowledged.expect_problem(409, "invalid-status");
        assert_eq!(problem["upload_status"], "Cancelled", "{problem:#}");
        assert!(
            scene.app.bucket.head("a.bin").await.is_none(),
            "an object is left"
        );
        assert_eq!(scene.open().await, [""; 0], "parts are left");
        assert_eq!(scene.app.event_types(&session).await, ["upload.cancelled"]);
    }
}

/// The completion was paused for so long that another replica has taken over the upload. It notices
/// that before S3 makes an object of the parts, and leaves the row to the other replica.
#[tokio::test]
async fn completion_that_lost_its_lease_makes_no_object() {
    let (scene, gate) = Scene::gated(Setup::new()).await;
    let session = scene.sent("a.bin", "abc", json!({})).await;
    gate.block();
    let acknowledge = scene.acknowledge(&session, json!({"comments": "of the slow one"}));
    let meanwhile = async {
        gate.request_waits().await;
        let taken = "UPDATE uploads SET holder = gen_random_uuid() WHERE held_for = 'completion'";
        let rows = scene.app.sql().await.execute(taken, &[]).await;
        assert_eq!(rows.expect("a row"), 1, "it holds the upload");
        gate.restore();
    };
    let (reply, ()) = tokio::join!(acknowledge, meanwhile);
    reply.expect_problem(503, "service-unavailable");
    let upload = scene.app.read(&session).await;
    assert_eq!(upload["status"], "Pending", "{upload:#}");
    assert_eq!(upload["comments"], Value::Null, "{upload:#}");
    assert_eq!(calls(&scene, "CompleteMultipartUpload").await, 0);
    // The other replica dies. When its lease is over, the client's next attempt succeeds.
    scene.app.advance(chrono::TimeDelta::seconds(30));
    scene
        .acknowledge(&session, json!({}))
        .await
        .expect(StatusCode::OK);
}
