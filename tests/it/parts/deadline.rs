//! What the janitor does with parts whose client never returns.

use chrono::TimeDelta;
use reqwest::StatusCode;
use serde_json::{Value, json};

use super::complete::CONFLICT;
use super::scene::{Scene, crc64};
use crate::support::app::{Setup, id};
use crate::support::faulty_proxy::Mode;

const PAST_THE_DEADLINE: TimeDelta = TimeDelta::seconds(61);

fn no_grace() -> Setup {
    Setup::new().set("BROKER_EXPIRY_GRACE_SECONDS", 0)
}

fn short_lived(more: Value) -> Value {
    let mut body = json!({"expires_in": 60});
    let more = more.as_object().expect("an object").clone();
    body.as_object_mut().expect("an object").extend(more);
    body
}

#[tokio::test]
async fn janitor_completes_matching_parts_and_aborts_the_others_after_deadline() {
    let scene = Scene::with(no_grace()).await;
    let declared = short_lived(json!({"checksum": crc64(b"abc")}));
    let whole = scene.sent("whole.bin", "abc", declared).await;
    let wrong = short_lived(json!({"checksum": crc64(b"other")}));
    let wrong = scene.sent("wrong.bin", "abc", wrong).await;
    let none = scene.begin("none.bin", 3, short_lived(json!({}))).await;
    // Without a size nothing says whether these are all parts.
    let open = scene
        .app
        .create("open.bin", short_lived(json!({"multipart": true})))
        .await;
    let asked = json!({"parts": [{"part_number": 1, "size": 3}]});
    let parts = scene.asked(&open, asked).await;
    scene.send(&parts[0], "abc").await.expect_ok();
    scene.app.advance(PAST_THE_DEADLINE);
    let round = scene.app.janitor().await;
    assert_eq!((round.uploaded, round.expired), (1, 3), "{round:?}");
    let upload = scene.app.read(&whole).await;
    assert_eq!(upload["status"], "Uploaded", "{upload:#}");
    assert_eq!(upload["verification"]["by"], "janitor", "{upload:#}");
    assert_eq!(upload["verification"]["level"], "checksum", "{upload:#}");
    for session in [&wrong, &none, &open] {
        let upload = scene.app.read(session).await;
        assert_eq!(upload["status"], "Expired", "{upload:#}");
        assert_eq!(scene.app.event_types(session).await, ["upload.expired"]);
        let reply = scene.app.acknowledge(session).await;
        assert!(reply.status.is_client_error(), "{reply:#?}");
    }
    assert_eq!(scene.app.event_types(&whole).await, ["dataset.uploaded"]);
    assert_eq!(scene.open().await, [""; 0], "parts are left");
}

/// The janitor has leased the row, and S3 is slow. A client that extends its session in time keeps
/// the session and its parts.
#[tokio::test]
async fn session_extended_during_janitor_check_keeps_its_parts() {
    let (scene, gate) = Scene::gated(no_grace()).await;
    let session = scene
        .app
        .create("a.bin", short_lived(json!({"multipart": true})))
        .await;
    let asked = json!({"parts": [{"part_number": 1, "size": 3}]});
    let parts = scene.asked(&session, asked).await;
    scene.send(&parts[0], "abc").await.expect_ok();
    scene.app.advance(PAST_THE_DEADLINE);
    gate.block();
    let extended = async {
        gate.request_waits().await;
        let path = format!("/uploads/{}/extend", id(&session));
        scene.app.post_empty(&path).await.expect(StatusCode::OK);
        gate.restore();
    };
    let (round, ()) = tokio::join!(scene.app.janitor(), extended);
    assert_eq!(round.expired, 0, "{round:?}");
    assert_eq!(scene.app.read(&session).await["status"], "Pending");
    let listed = scene.listed(&session).await;
    assert_eq!(
        listed["uploaded"][0]["size"], 3,
        "the parts are gone: {listed:#}"
    );
    let claims = json!({"size": 3});
    scene
        .acknowledge(&session, claims)
        .await
        .expect(StatusCode::OK);
}

/// Another write of the key is running, which is no reason to drop complete parts.
#[tokio::test]
async fn janitor_retries_completion_after_a_conflict_at_s3() {
    let (scene, proxy) = Scene::behind_proxy(no_grace()).await;
    let session = scene.sent("a.bin", "abc", short_lived(json!({}))).await;
    scene.app.advance(PAST_THE_DEADLINE);
    proxy.set_mode(Mode::RespondToMatching(
        scene.store.addr(),
        "POST ",
        CONFLICT,
    ));
    let round = scene.app.janitor().await;
    assert_eq!((round.expired, round.uploaded), (0, 0), "{round:?}");
    assert_eq!(scene.app.read(&session).await["status"], "Pending");
    proxy.set_mode(Mode::Forward(scene.store.addr()));
    scene.app.advance(TimeDelta::minutes(20));
    assert_eq!(scene.app.janitor().await.uploaded, 1);
    assert_eq!(scene.app.read(&session).await["status"], "Uploaded");
}
