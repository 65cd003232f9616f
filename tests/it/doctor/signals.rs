//! An interrupted doctor removes its objects before it exits.

use std::time::Duration;

use super::scene::{doctor, everything};
use crate::support::cloud;
use crate::support::gate::Gate;
use crate::support::observe::eventually;
use crate::support::serving::Place;

#[tokio::test]
async fn interrupted_doctor_removes_its_objects() {
    let place = Place::new().await;
    let gate = Gate::new(cloud::address());
    gate.delay(Duration::from_millis(150));
    let process = doctor(&place)
        .set("AWS_ENDPOINT_URL_S3", gate.endpoint())
        .spawn();
    eventually("a probe's object", async || {
        !everything(&place.bucket).await.is_empty()
    })
    .await;
    let ended = process.stop("INT").await;
    assert_eq!(ended.status.code(), Some(130), "{ended:#?}");
    assert!(ended.out.contains("\"interrupted\""), "{ended:#?}");
    assert_eq!(everything(&place.bucket).await, [""; 0]);
}
