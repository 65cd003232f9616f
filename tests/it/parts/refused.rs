//! Uploads in parts that S3 or the broker rejects for good: the client gets an error, no object is
//! made, and the session ends.

use chrono::TimeDelta;
use reqwest::StatusCode;
use serde_json::{Value, json};
use upload_broker::domain::principal::Scope;

use super::complete::{INVALID_CLASS, REFUSED};
use super::scene::{Scene, crc64};
use crate::support::app::{Setup, id};
use crate::support::faulty_proxy::Mode;
use crate::support::reply::Reply;

/// Longer than the sessions of these tests live, without a grace.
const PAST_THE_DEADLINE: TimeDelta = TimeDelta::seconds(61);

fn no_grace() -> Setup {
    Setup::new().set("BROKER_EXPIRY_GRACE_SECONDS", 0)
}

/// Some stores require parts of equal size, or smaller objects. Repeating the request for ever
/// would not help.
#[tokio::test]
async fn parts_that_s3_rejects_are_reported_and_expire_with_the_session() {
    let (scene, proxy) = Scene::behind_proxy(no_grace()).await;
    let session = scene.sent("a.bin", "abc", json!({"expires_in": 60})).await;
    proxy.set_mode(Mode::RespondToMatching(
        scene.store.addr(),
        "POST ",
        REFUSED,
    ));
    for _ in 0..2 {
        let reply = scene.app.acknowledge(&session).await;
        let problem = reply.expect_problem(422, "object-mismatch");
        assert_eq!(problem["upload_status"], "Pending", "{problem:#}");
        let detail = problem["detail"].as_str().expect("words");
        assert!(detail.contains("InvalidPart"), "{detail}");
    }
    assert_eq!(scene.app.read(&session).await["status"], "Pending");
    assert_eq!(scene.open().await.len(), 1, "the parts are gone");
    // The last acknowledge holds the upload for as long as S3 may need to complete it.
    scene.app.advance(TimeDelta::seconds(901));
    let round = scene.app.janitor().await;
    assert_eq!((round.expired, round.failed), (1, 0), "{round:?}");
    assert_eq!(scene.app.read(&session).await["status"], "Expired");
    assert_eq!(scene.open().await, [""; 0], "parts are left");
}

/// The default tenant has an upload in parts in a folder that then becomes the prefix of another
/// tenant, which has a dataset there.
async fn upload_in_new_tenants_prefix(scene: &Scene, more: Value) -> Value {
    let mut body = json!({"overwrite": true, "expires_in": 60});
    let more = more.as_object().expect("an object").clone();
    body.as_object_mut().expect("an object").extend(more);
    let ours = scene.sent("acme/u.csv", "ours", body).await;
    scene.app.issue_key("acme", &Scope::ALL, None).await;
    scene.app.bucket.put("acme/u.csv", "theirs").await;
    ours
}

#[tokio::test]
async fn upload_in_parts_is_not_completed_in_prefix_of_a_new_tenant() {
    let scene = Scene::with(no_grace()).await;
    let mut ours = upload_in_new_tenants_prefix(&scene, json!({})).await;
    // The caller was authenticated before the tenant was created. A new key is checked against the
    // new tenant.
    let reply = scene.app.acknowledge(&ours).await;
    let problem = reply.expect_problem(409, "invalid-status");
    assert_eq!(problem["upload_status"], "Pending", "{problem:#}");
    assert_eq!(scene.app.bucket.get("acme/u.csv").await, b"theirs");
    let key = scene.app.issue_key("default", &Scope::ALL, None).await.1;
    let path = format!("/uploads/{}/parts", id(&ours));
    let sign = scene.app.http.post(format!("{}{path}", scene.app.url));
    let sign = sign.bearer_auth(key).json(&json!({"from": 1}));
    let problem = Reply::of(sign).await;
    let problem = problem.expect_problem(409, "invalid-status");
    let detail = problem["detail"].as_str().expect("words");
    assert!(detail.contains("cancel"), "{detail}");

    scene.app.advance(PAST_THE_DEADLINE);
    let round = scene.app.janitor().await;
    assert_eq!((round.expired, round.uploaded), (1, 0), "{round:?}");
    ours = scene.app.read(&ours).await;
    assert_eq!(ours["status"], "Expired", "{ours:#}");
    assert_eq!(scene.app.bucket.get("acme/u.csv").await, b"theirs");
    assert_eq!(scene.open().await, [""; 0], "parts are left");
}

/// One entry of a batch has a value that the store does not accept. The other entries succeed.
#[tokio::test]
async fn rejected_storage_class_or_tag_fails_only_its_own_batch_entry() {
    let (scene, proxy) = Scene::behind_proxy(Setup::new()).await;
    let odd = |path: &str| json!({"path": path, "multipart": true, "storage_class": "GLACIAL"});
    proxy.set_mode(Mode::RespondToMatching(
        scene.store.addr(),
        "GLACIAL",
        INVALID_CLASS,
    ));
    let reply = scene.app.post("/uploads", odd("a.bin")).await;
    let problem = reply.expect_problem(422, "invalid-request");
    assert_eq!(problem["errors"][0]["pointer"], "/storage_class");

    let batch = json!({"uploads": [
        {"path": "b.bin", "multipart": true},
        odd("c.bin"),
        {"path": "d.bin", "multipart": true, "tags": {"a": "b#1"}},
        {"path": "e.bin", "multipart": true, "tags": {"a": "b+1"}},
    ]});
    let answer = scene.app.post("/uploads/batch", batch).await;
    let answer = answer.expect(StatusCode::OK);
    let of = |at: usize, pointer: &str| answer["results"][at].pointer(pointer).cloned();
    let statuses: Vec<_> = (0..4).map(|at| of(at, "/status")).collect();
    assert_eq!(
        statuses,
        [201, 422, 422, 201].map(|status| Some(json!(status)))
    );
    let pointer = "/problem/errors/0/pointer";
    assert_eq!(of(1, pointer), Some(json!("/uploads/1/storage_class")));
    assert_eq!(of(2, pointer), Some(json!("/uploads/2/tags")));
    assert_eq!(scene.open().await.len(), 2);
}

/// No object was made with the expected values, so that other parts with another sum may follow.
#[tokio::test]
async fn expected_values_of_rejected_completion_can_be_changed() {
    let (scene, proxy) = Scene::behind_proxy(Setup::new()).await;
    let open = json!({"multipart": true});
    let session = scene.app.create("a.bin", open).await;
    let send = async |bytes: &'static str| {
        let asked = json!({"parts": [{"part_number": 1, "size": bytes.len()}]});
        let parts = scene.asked(&session, asked).await;
        scene.send(&parts[0], bytes).await.expect_ok();
    };
    send("abc").await;
    proxy.set_mode(Mode::RespondToMatching(
        scene.store.addr(),
        "POST ",
        REFUSED,
    ));
    let claims = json!({"size": 3, "checksum": crc64(b"abc")});
    let reply = scene.acknowledge(&session, claims).await;
    reply.expect_problem(422, "object-mismatch");
    let upload = scene.app.read(&session).await;
    assert_eq!(upload["size"], Value::Null, "{upload:#}");
    assert_eq!(upload["checksum"], Value::Null, "{upload:#}");

    proxy.set_mode(Mode::Forward(scene.store.addr()));
    send("abcde").await;
    let claims = json!({"size": 5, "checksum": crc64(b"abcde")});
    let upload = scene.acknowledge(&session, claims).await;
    let upload = upload.expect(StatusCode::OK);
    assert_eq!(upload["verification"]["level"], "checksum", "{upload:#}");
}
