//! Several who end one upload at once.

use reqwest::StatusCode;
use serde_json::json;

use super::scene::{Scene, crc64};
use crate::support::app::{Setup, id};

#[tokio::test]
async fn twenty_acknowledges_make_one_transition() {
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
    assert_eq!(scene.app.told(&session).await, ["dataset.uploaded"]);
    assert_eq!(scene.app.bucket.get("a.bin").await, b"abc");
}

/// Both have listed the parts, then one is faster; what the other one claims is kept.
#[tokio::test]
async fn of_two_acknowledges_one_completes_and_both_get_200() {
    let scene = Scene::new().await;
    let session = scene.sent("a.bin", "abc", json!({})).await;
    let both = async {
        tokio::join!(
            scene.acknowledge(&session, json!({"checksum": crc64(b"abc")})),
            scene.acknowledge(&session, json!({"comments": "of the other one"})),
        )
    };
    let mut client = scene.app.sql().await;
    let lock = client.transaction().await.expect("a transaction");
    let rows = "SELECT 1 FROM uploads FOR UPDATE";
    lock.batch_execute(rows).await.expect("a lock");
    let release = async {
        crate::support::observe::eventually("both wait for the row", async || {
            scene.app.waiting_for_locks().await == 2
        })
        .await;
        lock.rollback().await.expect("a rollback");
    };
    let ((one, other), ()) = tokio::join!(both, release);
    let (one, other) = (one.expect(StatusCode::OK), other.expect(StatusCode::OK));
    assert_eq!(one, other);
    assert_eq!(one["verification"]["level"], "checksum", "{one:#}");
    assert_eq!(one["comments"], "of the other one", "{one:#}");
    assert_eq!(scene.app.told(&session).await, ["dataset.uploaded"]);
}

/// Whoever is faster: a cancelled upload leaves no object, no parts, and one event.
#[tokio::test]
async fn a_cancel_while_s3_completes_leaves_nothing() {
    for answers_only in [true, false] {
        let (scene, gate) = Scene::gated(Setup::new()).await;
        let session = scene.sent("a.bin", "abc", json!({})).await;
        let held = async {
            match answers_only {
                true => gate.hold_answers(),
                false => gate.hold(),
            }
        };
        let path = format!("/uploads/{}/cancel", id(&session));
        let cancel = async {
            match answers_only {
                true => gate.answer_waits().await,
                false => gate.request_waits().await,
            }
            let release = async {
                crate::support::observe::eventually("the row is cancelled", async || {
                    scene.app.read(&session).await["status"] == "Cancelled"
                })
                .await;
                gate.restore();
            };
            tokio::join!(scene.app.act(&path), release).0
        };
        let acknowledge = scene.app.in_between(scene.app.acknowledge(&session), held);
        let (acknowledged, cancelled) = tokio::join!(acknowledge, cancel);
        cancelled.expect(StatusCode::OK);
        let problem = acknowledged.expect_problem(409, "invalid-status");
        assert_eq!(problem["upload_status"], "Cancelled", "{problem:#}");
        assert!(
            scene.app.bucket.head("a.bin").await.is_none(),
            "an object is left"
        );
        assert_eq!(scene.open().await, [""; 0], "parts are left");
        assert_eq!(scene.app.told(&session).await, ["upload.cancelled"]);
    }
}
