//! Stores other than AWS: how the broker understands their answers and detects their abilities.

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
use crate::support::cloud;
use crate::support::observe::eventually;
use crate::support::rewriting_proxy::{ProxiedRequest, RewritingProxy};

/// The folder in which a probe writes.
const PROBE_FOLDER: &str = "/.upload-broker-doctor/";

/// The settings of a broker that detects the abilities of its store.
const AUTO: [&str; 3] = [
    "BROKER_S3_CONDITIONAL_WRITES",
    "BROKER_S3_CHECKSUMS",
    "BROKER_S3_HEAD_CHECKSUMS",
];

/// A broker that detects the abilities of its store.
fn setup_with_detection() -> Setup {
    AUTO.into_iter()
        .fold(Setup::new(), |setup, name| setup.set(name, "auto"))
}

/// A proxy in front of the cloud's S3 that can change its answers.
async fn changeable_store() -> RewritingProxy {
    let address: SocketAddr = cloud::address();
    RewritingProxy::new(address).await
}

/// The abilities of the store, once the broker knows all of them.
async fn known_abilities(app: &App) -> Value {
    eventually("the store is known", async || {
        let ready = app.get("/readyz").await.expect(StatusCode::OK);
        let store = ready["store"].as_object().expect("abilities");
        store.values().all(|support| support != "unknown")
    })
    .await;
    app.get("/readyz").await.expect(StatusCode::OK)["store"].clone()
}

/// Whether a request belongs to a probe.
fn is_probe(asked: &ProxiedRequest) -> bool {
    asked.target.contains(PROBE_FOLDER)
}
