//! Answers that are lost within one call: the AWS SDK retries by itself and learns that the
//! multipart upload no longer exists.

use chrono::TimeDelta;
use reqwest::StatusCode;
use serde_json::json;

use super::complete::BLOCKED;
use super::scene::{Scene, crc64};
use crate::support::app::Setup;
use crate::support::faulty_proxy::{FaultyProxy, Mode};
use crate::support::gate::Gate;
use crate::support::store::Store;

/// S3 has made the object and its answer is lost. The SDK's second try is answered with "no such
/// upload" or, by some stores, with "an object exists". The object is the upload's own.
#[tokio::test]
async fn retried_completion_recognises_its_own_object() {
    for second in [None, Some(BLOCKED)] {
        let store = Store::start().await;
        let proxy = FaultyProxy::new(store.addr());
        let gate = Gate::new(proxy.addr());
        let setup = Setup::new().store(&store).s3(gate.endpoint());
        let setup = setup.set("BROKER_S3_PUBLIC_ENDPOINT", store.endpoint());
        let app = setup.start().await;
        let scene = Scene { app, store };
        let declared = json!({"checksum": crc64(b"abc"), "overwrite": true});
        let session = scene.sent("a.bin", "abc", declared).await;
        let held = async { gate.block_responses() };
        let acknowledge = (scene.app).run_before_write(scene.app.acknowledge(&session), held);
        let lost = async {
            gate.response_waits().await;
            if let Some(answer) = second {
                proxy.set_mode(Mode::RespondToMatching(scene.store.addr(), "POST ", answer));
            }
            gate.drop_connections().await;
        };
        let (acknowledged, ()) = tokio::join!(acknowledge, lost);
        let upload = acknowledged.expect(StatusCode::OK);
        assert_eq!(upload["verification"]["level"], "checksum", "{upload:#}");
        assert_eq!(scene.app.event_types(&session).await, ["dataset.uploaded"]);
        assert_eq!(scene.app.bucket.get("a.bin").await, b"abc");
    }
}

/// The client was asleep for longer than the lifetime of its URLs.
#[tokio::test]
async fn expired_part_urls_can_be_renewed() {
    // The broker's clock is behind the store's, so its URLs are already old when they are used.
    let minutes = TimeDelta::minutes(10);
    let setup = Setup::new().clock_at(crate::support::app::now() - minutes);
    let scene = Scene::with(setup).await;
    let more = json!({"expires_in": 60});
    let session = scene.begin("a.bin", 3, more).await;
    let late = scene.send(&Scene::parts(&session)[0], "abc").await;
    assert_eq!(late.status, StatusCode::FORBIDDEN, "{late:#?}");
    assert_eq!(scene.listed(&session).await["missing"], json!([[1, 1]]));
    scene.app.advance(minutes);
    let parts = scene.asked(&session, json!({"from": 1})).await;
    scene.send(&parts[0], "abc").await.expect_ok();
    scene.app.acknowledge(&session).await.expect(StatusCode::OK);
}
