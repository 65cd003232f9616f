//! Addresses that are not public are refused, unless the setting allows them.

use serde_json::{Value, json};

use super::{add, run, sent, setup, shown, webhooks};
use crate::support::app::Setup;
use crate::support::observe::eventually;
use crate::support::receiver::Receiver;

#[tokio::test]
async fn add_refuses_addresses_that_are_not_public_unless_allowed() {
    let app = Setup::new().without_topic().start().await;
    for url in [
        "https://127.0.0.1/",
        "https://0x7f000001/",
        "https://10.1.2.3/",
        "https://169.254.169.254/",
        "https://100.64.0.1/",
        "https://[::1]/",
        "https://[::ffff:10.0.0.1]/",
        "https://[fd00::1]/",
        "https://0.0.0.0/",
    ] {
        let refused = run(&app, &["add", "--url", url]).finish().await;
        refused.expect_failure(1, &["public address", "BROKER_WEBHOOKS_ALLOW_PRIVATE"]);
        webhooks(&app, &["add", "--url", url]).await.ok();
    }
    let plain = ["add", "--url", "http://example.com/"];
    let refused = run(&app, &plain).finish().await;
    refused.expect_failure(1, &["https"]);
    webhooks(&app, &plain).await.ok();
    for setting in ["", "false"] {
        let public = run(&app, &["add", "--url", "https://example.com/"]);
        let public = public.set("BROKER_WEBHOOKS_ALLOW_PRIVATE", setting);
        public.finish().await.ok();
    }
}

/// A host name that resolves to an address that is not public, and an address that was added when the
/// setting allowed it: no connection is opened.
#[tokio::test]
async fn private_address_is_refused_when_connecting() {
    let receiver = Receiver::new();
    let port = receiver.address().port();
    let app = Setup::new().without_topic().start().await;
    let name = format!("https://localhost:{port}/");
    let named = run(&app, &["add", "--json", "--url", &name]).finish().await;
    let named = super::Endpoint::of(&named.ok().json());
    let literal = add(&app, &format!("https://127.0.0.1:{port}/"), &[]).await;
    app.upload("/a.csv", "a", json!({})).await;
    eventually("both are refused", async || {
        sent(&app, "private-address").await >= 2.0
    })
    .await;
    for endpoint in [&named, &literal] {
        eventually("the reason is listed", async || {
            let error = &shown(&app, endpoint).await["last_error"];
            error
                .as_str()
                .is_some_and(|text| text.contains("no public address"))
        })
        .await;
        assert_eq!(shown(&app, endpoint).await["disabled_at"], Value::Null);
    }
    assert_eq!(receiver.connections(), 0);
}

#[tokio::test]
async fn private_address_is_connected_to_if_the_setting_allows_it() {
    let receiver = Receiver::new();
    let app = setup().start().await;
    let port = receiver.address().port();
    add(&app, &format!("http://localhost:{port}/"), &[]).await;
    app.upload("/a.csv", "a", json!({})).await;
    receiver.wait_for(1).await;
}

/// The receiver does not speak TLS.
#[tokio::test]
async fn tls_fault_is_a_failure() {
    let receiver = Receiver::new();
    let app = setup().start().await;
    let port = receiver.address().port();
    let endpoint = add(&app, &format!("https://127.0.0.1:{port}/"), &[]).await;
    app.upload("/a.csv", "a", json!({})).await;
    eventually("the fault is counted", async || {
        sent(&app, "unreachable").await >= 1.0
    })
    .await;
    eventually("the fault is listed", async || {
        shown(&app, &endpoint).await["failing_since"] != Value::Null
    })
    .await;
}
