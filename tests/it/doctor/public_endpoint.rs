//! The endpoint of S3 for clients may be one that the doctor cannot reach.

use super::scene::{Report, doctor};
use crate::support::process::free_port;
use crate::support::replacing_proxy::ReplacingProxy;
use crate::support::serving::Place;

#[tokio::test]
async fn endpoint_that_only_clients_reach_is_a_warning_and_the_store_is_checked_all_the_same() {
    let place = Place::new().await;
    // A port that is closed, as the published port of a container is inside of it.
    let address = format!("http://127.0.0.1:{}", free_port());
    let run = doctor(&place).set("BROKER_S3_PUBLIC_ENDPOINT", &address);
    let report = Report::of(run).await;
    report
        .code(0)
        .says("public-endpoint", "warning", &address)
        .says("public-endpoint", "warning", "does not answer here")
        .advises("public-endpoint", "from where the clients are")
        .says("tls", "ok", &address)
        .says("signatures", "ok", "rejected")
        .says("checksums", "warning", "wrong bytes are rejected")
        .says("multipart", "warning", "multipart uploads work");
}

/// Only the endpoint of clients accepts wrong signatures.
#[tokio::test]
async fn endpoint_of_clients_that_answers_is_checked_itself() {
    let place = Place::new().await;
    let public = ReplacingProxy::new(&[(b"HTTP/1.1 403", b"HTTP/1.1 200")]).await;
    let run = doctor(&place).set("BROKER_S3_PUBLIC_ENDPOINT", public.endpoint());
    let report = Report::of(run).await;
    report
        .code(1)
        .says("public-endpoint", "ok", &public.endpoint())
        .says("signatures", "failed", "wrong signature");
}
