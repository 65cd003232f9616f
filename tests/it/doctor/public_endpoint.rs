//! The endpoint of S3 for clients may be one that the doctor cannot reach.

use super::scene::{Report, doctor};
use crate::support::cloud;
use crate::support::gate::Gate;
use crate::support::serving::Place;

#[tokio::test]
async fn endpoint_that_only_clients_reach_is_a_warning_and_the_store_is_checked_all_the_same() {
    let place = Place::new().await;
    // A port that is closed, as the published port of a container is inside of it.
    let closed = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("http://{}", closed.local_addr().expect("an address"));
    drop(closed);
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

#[tokio::test]
async fn endpoint_of_clients_that_answers_is_checked_itself() {
    let place = Place::new().await;
    let public = Gate::new(cloud::address());
    let run = doctor(&place).set("BROKER_S3_PUBLIC_ENDPOINT", public.endpoint());
    let report = Report::of(run).await;
    report
        .says("public-endpoint", "ok", &public.endpoint())
        .says("signatures", "ok", "rejected");
}
