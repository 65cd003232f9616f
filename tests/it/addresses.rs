//! The client address in the access log: the peer's, or the one that a trusted proxy forwards.

use serde_json::Value;

use crate::support::serving::{Caller, Place};

/// The client address in the access line of one request with these headers.
async fn logged_address(headers: &[(&str, &str)], proxies: &str) -> String {
    let place = Place::new().await;
    let run = place.serve().set("BROKER_LOG_FORMAT", "json");
    let (mut process, caller) = place
        .start(run.set("BROKER_TRUSTED_PROXIES", proxies))
        .await;
    send_with_headers(&caller, headers).await;
    let line = process.wait_for_log("\"request_id\":\"the-one\"").await;
    process.stop("TERM").await.ok();
    let line: Value = serde_json::from_str(&line).expect(&line);
    let client = line["fields"]["client"].as_str();
    client.unwrap_or_else(|| panic!("{line:#}")).to_owned()
}

async fn send_with_headers(caller: &Caller, headers: &[(&str, &str)]) {
    let mut request = caller.http.get(format!("{}/problems", caller.url));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let answer = request.header("x-request-id", "the-one").send().await;
    assert!(answer.expect("an answer").status().is_success());
}

#[tokio::test]
async fn x_forwarded_for_of_trusted_proxy_gives_client_address() {
    let headers = [("x-forwarded-for", "203.0.113.5, 192.0.2.1, 10.2.2.2")];
    let found = logged_address(&headers, "127.0.0.0/8, 10.0.0.0/8").await;
    assert_eq!(found, "192.0.2.1");
}

#[tokio::test]
async fn forwarded_header_of_trusted_proxy_gives_client_address() {
    let headers = [(
        "forwarded",
        "for=192.0.2.9, for=\"[2001:db8::1]:80\";proto=https",
    )];
    assert_eq!(logged_address(&headers, "127.0.0.1").await, "2001:db8::1");
}

#[tokio::test]
async fn forwarding_headers_of_untrusted_peer_are_ignored() {
    let headers = [
        ("x-forwarded-for", "192.0.2.1"),
        ("forwarded", "for=192.0.2.1"),
    ];
    assert_eq!(logged_address(&headers, "10.0.0.0/8").await, "127.0.0.1");
}

/// A proxy that writes one of the headers passes the other one through. A client that sends the
/// other one must not choose its address by it.
#[tokio::test]
async fn contradictory_forwarding_headers_are_ignored() {
    let headers = [
        ("x-forwarded-for", "192.0.2.1"),
        ("forwarded", "for=192.0.2.2"),
    ];
    assert_eq!(logged_address(&headers, "127.0.0.1").await, "127.0.0.1");
}

/// A client that sends characters which no address has, to the left of what its proxy appends to
/// the same header, is not logged with the proxy's address.
#[tokio::test]
async fn invalid_forwarded_entries_left_of_proxy_entry_are_ignored() {
    let headers = [("x-forwarded-for", "é, 192.0.2.1")];
    assert_eq!(logged_address(&headers, "127.0.0.1").await, "192.0.2.1");
}

#[tokio::test]
async fn serve_rejects_invalid_trusted_proxies() {
    let place = Place::new().await;
    for (proxies, right) in [
        ("proxy.example.com", "10.0.0.0/8"),
        ("10.0.0.1/8", "10.0.0.0/8"),
        ("10.0.0.0/8,,::1", "empty item"),
    ] {
        let run = place.serve().set("BROKER_TRUSTED_PROXIES", proxies);
        let ended = run.finish().await;
        ended.expect_failure(78, &["BROKER_TRUSTED_PROXIES", right]);
    }
}
