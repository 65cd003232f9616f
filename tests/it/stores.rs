//! Stores that are not AWS: what they answer, what the broker makes of it, and what it finds out.

mod abilities;
mod fallbacks;
mod head;
mod listing;
mod rclone;
mod refusals;
mod seaweedfs;
mod tls;

use std::net::SocketAddr;

use reqwest::StatusCode;
use serde_json::Value;

use crate::support::app::{App, Setup};
use crate::support::bent::{Asked, Bent};
use crate::support::cloud;
use crate::support::observe::eventually;

/// Where a try-out writes.
const TRIED: &str = "/.upload-broker-doctor/";

/// Settings of a broker that finds out what its store does.
const AUTO: [&str; 3] = [
    "BROKER_S3_CONDITIONAL_WRITES",
    "BROKER_S3_CHECKSUMS",
    "BROKER_S3_HEAD_CHECKSUMS",
];

/// A broker that finds out what its store does.
fn curious() -> Setup {
    AUTO.into_iter()
        .fold(Setup::new(), |setup, name| setup.set(name, "auto"))
}

/// The cloud's S3 behind a proxy.
async fn bent() -> Bent {
    let address: SocketAddr = cloud::address();
    Bent::new(address).await
}

/// What the broker knows of its store, once it knows everything.
async fn known(app: &App) -> Value {
    eventually("the store is known", async || {
        let ready = app.get("/readyz").await.expect(StatusCode::OK);
        let store = ready["store"].as_object().expect("abilities");
        store.values().all(|support| support != "unknown")
    })
    .await;
    app.get("/readyz").await.expect(StatusCode::OK)["store"].clone()
}

/// Whether a request is one of a try-out.
fn is_tried(asked: &Asked) -> bool {
    asked.target.contains(TRIED)
}
