//! Acknowledge of uploads in parts: the parts become an object whatever happens at S3 meanwhile.

use reqwest::StatusCode;
use serde_json::{Value, json};
use upload_broker::usecases::maintenance::arrived::{Arrived, arrived};

use super::scene::{MIN, Scene, bytes, crc64};
use crate::support::app::{Setup, id};
use crate::support::faulty_proxy::Mode;
use crate::support::observe::eventually;

macro_rules! error {
    ($status:literal, $code:literal) => {
        concat!(
            "HTTP/1.1 ",
            $status,
            "\r\nconnection: close\r\ncontent-type: application/xml\r\n\r\n<Error><Code>",
            $code,
            "</Code><Message>why</Message></Error>"
        )
    };
}

/// The answer of a store while another write of the key is running.
pub const CONFLICT: &str = error!("409 Conflict", "ConditionalRequestConflict");
const FAILED: &str = error!("200 OK", "InternalError");
/// The answer of a store where the parts do not make an object.
pub const REFUSED: &str = error!("200 OK", "InvalidPart");
/// The answer of a store where an object exists at the key.
pub const BLOCKED: &str = error!("412 Precondition Failed", "PreconditionFailed");
/// The answer of a store that does not have the storage class.
pub const INVALID_CLASS: &str = error!("400 Bad Request", "InvalidStorageClass");

#[tokio::test]
async fn parts_of_wrong_size_are_reported_and_can_be_sent_again() {
    let scene = Scene::new().await;
    let whole = bytes(MIN + 4);
    let session = scene.begin("a.bin", whole.len(), json!({})).await;
    let parts = Scene::parts(&session);
    scene.send_of(&parts[1], &whole).await;
    scene.slip_in("a.bin", 1, "too short").await;
    let listed = scene.listed(&session).await;
    assert_eq!(listed["missing"], json!([[1, 1]]), "{listed:#}");
    assert_eq!(listed["uploaded"][0]["size"], 9, "{listed:#}");
    let reply = scene.app.acknowledge(&session).await;
    let problem = reply.expect_problem(422, "object-mismatch");
    assert_eq!(problem["upload_status"], "Pending", "{problem:#}");
    let mismatch = &problem["mismatches"][0];
    assert_eq!(mismatch["field"], "size", "{problem:#}");
    assert_eq!(mismatch["found"], "part 1 of 9 bytes", "{problem:#}");
    scene.send_of(&parts[0], &whole).await;
    // A part of another program behind the planned end does not belong to the upload.
    scene.slip_in("a.bin", 7, "stranger").await;
    scene.app.acknowledge(&session).await.expect(StatusCode::OK);
    assert!(scene.app.bucket.get("a.bin").await == whole, "other bytes");
    assert_eq!(scene.app.event_types(&session).await, ["dataset.uploaded"]);
}

#[tokio::test]
async fn part_replaced_during_acknowledge_is_listed_and_checked_again() {
    let scene = Scene::new().await;
    let claims = || json!({"checksum": crc64(b"abc")});
    let session = scene.sent("same.bin", "abc", json!({})).await;
    let act = scene.slip_in("same.bin", 1, "xyz");
    let reply = scene
        .app
        .run_before_write(scene.acknowledge(&session, json!({})), act)
        .await;
    reply.expect(StatusCode::OK);
    assert_eq!(scene.app.bucket.get("same.bin").await, b"xyz");

    let session = scene.sent("checked.bin", "abc", json!({})).await;
    let act = scene.slip_in("checked.bin", 1, "xyz");
    let reply = scene
        .app
        .run_before_write(scene.acknowledge(&session, claims()), act)
        .await;
    let problem = reply.expect_problem(422, "object-mismatch");
    assert_eq!(problem["mismatches"][0]["field"], "checksum", "{problem:#}");
    assert_eq!(scene.app.read(&session).await["status"], "Error");

    let session = scene.sent("longer.bin", "abc", json!({})).await;
    let act = scene.slip_in("longer.bin", 1, "longer");
    let reply = scene
        .app
        .run_before_write(scene.acknowledge(&session, claims()), act)
        .await;
    let problem = reply.expect_problem(422, "object-mismatch");
    assert_eq!(problem["upload_status"], "Pending", "{problem:#}");
    scene
        .send(&Scene::parts(&session)[0], "abc")
        .await
        .expect_ok();
    scene
        .acknowledge(&session, claims())
        .await
        .expect(StatusCode::OK);
}

/// S3 makes the object, and its answer is lost. `again` then proves the object and returns what
/// must be recorded as the prover.
async fn prove_after_lost_answer(again: impl AsyncFnOnce(&Scene, &Value) -> &'static str) {
    let (scene, gate) = Scene::gated(Setup::new()).await;
    let session = scene.sent("a.bin", "abc", json!({"overwrite": true})).await;
    let claims = json!({"checksum": crc64(b"abc"), "comments": "kept", "metadata": {"a": "b"}});
    let held = async { gate.block_responses() };
    let lost = async {
        gate.response_waits().await;
        gate.close().await;
    };
    let acknowledge = scene
        .app
        .run_before_write(scene.acknowledge(&session, claims), held);
    let (reply, ()) = tokio::join!(acknowledge, lost);
    reply.expect_problem(503, "service-unavailable");
    assert_eq!(scene.app.read(&session).await["status"], "Pending");
    assert_eq!(scene.app.bucket.get("a.bin").await, b"abc");
    gate.restore();
    let by = again(&scene, &session).await;
    let upload = scene.app.acknowledge(&session).await.expect(StatusCode::OK);
    assert_eq!(upload["comments"], "kept", "{upload:#}");
    assert_eq!(upload["metadata"], json!({"a": "b"}), "{upload:#}");
    let verification = &upload["verification"];
    assert_eq!(
        verification["level"], "checksum",
        "the claims are lost: {upload:#}"
    );
    assert_eq!(verification["by"], by, "{upload:#}");
    assert_eq!(scene.app.event_types(&session).await, ["dataset.uploaded"]);
}

#[tokio::test]
async fn completion_with_lost_answer_is_proven_by_next_acknowledge() {
    prove_after_lost_answer(async |_, _| "acknowledge").await;
}

#[tokio::test]
async fn completion_with_lost_answer_is_proven_by_s3_event() {
    prove_after_lost_answer(async |scene, session| {
        let bucket = scene.app.bucket.name.clone();
        let seen = arrived(&scene.app.broker, &bucket, "a.bin").await;
        let seen = seen.expect("a look");
        let uploaded = Arrived::Uploaded(id(session).parse().expect("a UUID"));
        assert_eq!(seen, uploaded);
        "s3-event"
    })
    .await;
}

#[tokio::test]
async fn completion_with_lost_answer_is_proven_by_janitor() {
    prove_after_lost_answer(async |scene, _| {
        scene.app.advance(chrono::TimeDelta::hours(1));
        assert_eq!(scene.app.janitor().await.uploaded, 1);
        "janitor"
    })
    .await;
}

#[tokio::test]
async fn failed_completion_leaves_session_pending_and_can_be_repeated() {
    let (scene, proxy) = Scene::behind_proxy(Setup::new()).await;
    let away = (503, "service-unavailable");
    for (path, answer, (status, code)) in [
        ("a.bin", FAILED, away),
        ("b.bin", CONFLICT, away),
        ("c.bin", REFUSED, (422, "object-mismatch")),
    ] {
        let session = scene.sent(path, "abc", json!({})).await;
        let before = scene.app.read(&session).await;
        proxy.set_mode(Mode::RespondToMatching(scene.store.addr(), "POST ", answer));
        let reply = scene.app.acknowledge(&session).await;
        reply.expect_problem(status, code);
        assert_eq!(scene.app.read(&session).await, before, "{answer}");
        assert!(scene.app.bucket.head(path).await.is_none());
        proxy.set_mode(Mode::Forward(scene.store.addr()));
        scene.app.acknowledge(&session).await.expect(StatusCode::OK);
        assert_eq!(scene.app.event_types(&session).await, ["dataset.uploaded"]);
    }
}

#[tokio::test]
async fn completion_continues_after_the_request_has_timed_out() {
    let setup = Setup::new().set("BROKER_REQUEST_TIMEOUT_SECONDS", 2);
    let (scene, gate) = Scene::gated(setup).await;
    let session = scene.sent("a.bin", "abc", json!({"overwrite": true})).await;
    let held = async { gate.block_responses() };
    let reply = scene
        .app
        .run_before_write(scene.app.acknowledge(&session), held)
        .await;
    reply.expect_problem(503, "service-unavailable");
    assert_eq!(scene.app.read(&session).await["status"], "Pending");
    gate.restore();
    eventually("the work ends by itself", async || {
        scene.app.read(&session).await["status"] == "Uploaded"
    })
    .await;
    scene.app.acknowledge(&session).await.expect(StatusCode::OK);
    assert_eq!(scene.app.event_types(&session).await, ["dataset.uploaded"]);
}

#[tokio::test]
async fn object_that_appeared_meanwhile_is_replaced_only_with_overwrite() {
    let scene = Scene::new().await;
    let bucket = &scene.app.bucket;
    let session = scene.sent("a.bin", "abc", json!({})).await;
    let act = bucket.put("a.bin", "meanwhile");
    let reply = scene
        .app
        .run_before_write(scene.app.acknowledge(&session), act)
        .await;
    reply.expect_problem(409, "dataset-exists");
    let upload = scene.app.read(&session).await;
    assert_eq!(upload["status"], "Error", "{upload:#}");
    assert_eq!(upload["error"]["code"], "dataset-exists", "{upload:#}");
    assert_eq!(bucket.get("a.bin").await, b"meanwhile");
    assert_eq!(scene.open().await, [""; 0], "parts are left");

    let session = scene.sent("a.bin", "abc", json!({"overwrite": true})).await;
    let act = bucket.put("a.bin", "once more");
    let reply = scene
        .app
        .run_before_write(scene.app.acknowledge(&session), act)
        .await;
    reply.expect(StatusCode::OK);
    assert_eq!(bucket.get("a.bin").await, b"abc");
    assert_eq!(scene.app.event_types(&session).await, ["dataset.uploaded"]);
}

#[tokio::test]
async fn if_match_replaces_only_the_named_version() {
    for writes in ["on", "off"] {
        let setup = Setup::new().set("BROKER_S3_CONDITIONAL_WRITES", writes);
        let scene = Scene::with(setup).await;
        let bucket = &scene.app.bucket;
        let first = scene.app.upload("a.bin", "first", json!({})).await;
        let etag = &first["object"]["etag"];
        let session = scene.sent("a.bin", "abc", json!({"if_match": etag})).await;
        scene.app.acknowledge(&session).await.expect(StatusCode::OK);
        assert_eq!(bucket.get("a.bin").await, b"abc", "{writes}");
        assert_eq!(scene.app.read(&first).await["status"], "Superseded");

        // The object has another version now.
        let session = scene.sent("a.bin", "late", json!({"if_match": etag})).await;
        let reply = scene.app.acknowledge(&session).await;
        let problem = reply.expect_problem(409, "dataset-exists");
        let detail = problem["detail"].as_str().expect("words");
        assert!(detail.contains("if_match"), "{writes}: {detail}");
        assert_eq!(scene.app.read(&session).await["status"], "Error");
        assert_eq!(bucket.get("a.bin").await, b"abc", "{writes}");
        assert_eq!(scene.open().await, [""; 0], "{writes}: parts are left");
    }
}

#[tokio::test]
async fn existing_object_is_kept_in_store_without_conditional_writes() {
    let setup = Setup::new().set("BROKER_S3_CONDITIONAL_WRITES", "off");
    let scene = Scene::with(setup).await;
    let session = scene.sent("a.bin", "abc", json!({})).await;
    scene.app.bucket.put("a.bin", "standing").await;
    let reply = scene.app.acknowledge(&session).await;
    reply.expect_problem(409, "dataset-exists");
    assert_eq!(scene.app.bucket.get("a.bin").await, b"standing");
    assert_eq!(scene.open().await, [""; 0], "parts are left");
    let session = scene.sent("b.bin", "abc", json!({})).await;
    scene.app.acknowledge(&session).await.expect(StatusCode::OK);
}

#[tokio::test]
async fn parts_removed_by_a_lifecycle_rule_are_reported_as_object_missing() {
    let scene = Scene::new().await;
    let session = scene.sent("a.bin", "abc", json!({})).await;
    let bucket = &scene.app.bucket;
    let abort = bucket.client.abort_multipart_upload().bucket(&bucket.name);
    let abort = abort.key("a.bin").upload_id(scene.open().await.remove(0));
    abort.send().await.expect("an end");
    let path = format!("/uploads/{}/parts", id(&session));
    let checksum = json!({"parts": [{"part_number": 1, "checksum": crc64(b"abc")}]});
    for reply in [
        scene.app.acknowledge(&session).await,
        scene.app.get(&path).await,
        scene.ask(&session, checksum).await,
    ] {
        let problem = reply.expect_problem(409, "object-missing");
        assert_eq!(problem["upload_status"], "Pending", "{problem:#}");
        let detail = problem["detail"].as_str().expect("words");
        assert!(detail.contains("create a new one"), "{detail}");
    }
    assert_eq!(scene.app.read(&session).await["status"], "Pending");
    let path = format!("/uploads/{}/cancel", id(&session));
    scene.app.post_empty(&path).await.expect(StatusCode::OK);
}
