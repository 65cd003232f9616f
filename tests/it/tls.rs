//! The broker's own TLS listener: its certificate, its timeouts and its errors.

pub mod pki;
mod renewal;

use std::time::Duration;

use reqwest::StatusCode;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

use crate::support::observe::TIMEOUT;
use crate::support::process::{Process, Run};
use crate::support::serving::Place;
use pki::Authority;

/// Starts a broker with a certificate of `authority`.
async fn start(place: &Place, authority: &Authority, run: Run) -> (Process, String) {
    let (certificate, key) = authority.files("broker", "localhost");
    let run = run.set("BROKER_TLS_CERT", certificate.display());
    let mut process = run.set("BROKER_TLS_KEY", key.display()).spawn();
    let url = process.ready().await;
    let address = url.strip_prefix("https://").expect(&url).to_owned();
    let _ = place;
    (process, address)
}

#[tokio::test]
async fn clients_that_trust_the_authority_are_served_over_tls() {
    let (place, authority) = (Place::new().await, Authority::new());
    let run = place.serve().set("BROKER_METRICS_BIND", "127.0.0.1:0");
    let (mut process, address) = start(&place, &authority, run).await;
    let client = authority.client(&address);
    let port = address.rsplit(':').next().expect("a port");
    let answer = client.get(format!("https://localhost:{port}/heartbeat"));
    let answer = answer.send().await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::OK);
    let headers = answer.headers();
    assert_eq!(headers["strict-transport-security"], "max-age=31536000");
    assert_eq!(headers["x-content-type-options"], "nosniff");
    // Problems have the header too.
    let refused = client.get(format!("https://localhost:{port}/uploads"));
    let refused = refused.send().await.expect("an answer");
    assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
    assert!(refused.headers().contains_key("strict-transport-security"));

    // A client that trusts only another authority hangs up.
    let stranger = Authority::new().client(&address);
    let failed = stranger.get(format!("https://localhost:{port}/heartbeat"));
    failed.send().await.expect_err("an unknown authority");

    // Measurements stay where they were put: on a listener without TLS.
    let line = process.wait_for_log("serving pages on http://").await;
    let (_, pages) = line.split_once(" on ").expect("an address");
    let metrics = reqwest::get(format!("{pages}/metrics"))
        .await
        .expect("an answer");
    assert_eq!(metrics.status(), StatusCode::OK);
    assert!(!metrics.headers().contains_key("strict-transport-security"));
    process.stop("TERM").await.ok();
}

#[tokio::test]
async fn plain_http_on_the_tls_listener_gets_no_answer() {
    let (place, authority) = (Place::new().await, Authority::new());
    let (process, address) = start(&place, &authority, place.serve()).await;
    let mut socket = TcpStream::connect(&address).await.expect("the broker");
    let request = b"GET /heartbeat HTTP/1.1\r\nhost: broker\r\n\r\n";
    socket.write_all(request).await.expect("a request");
    let mut answer = Vec::new();
    // A reset ends the connection too.
    let reading = socket.read_to_end(&mut answer);
    let _ = timeout_at(Instant::now() + TIMEOUT, reading)
        .await
        .expect("an end");
    assert!(!answer.starts_with(b"HTTP/"), "{answer:?}");
    process.stop("TERM").await.ok();
}

#[tokio::test]
async fn unfinished_handshake_is_dropped_after_the_head_timeout() {
    let (place, authority) = (Place::new().await, Authority::new());
    let run = place.serve().set("BROKER_HEAD_TIMEOUT_SECONDS", 1);
    let run = run
        .set("BROKER_MAX_CONNECTIONS", 2)
        .set("BROKER_MAX_IN_FLIGHT", 2);
    let run = run.set("BROKER_HTTP_WORKERS", 1);
    let (process, address) = start(&place, &authority, run).await;
    // Both connections are used: one sends nothing, the other one starts a handshake and stalls.
    let mut silent = TcpStream::connect(&address).await.expect("the broker");
    let mut slow = TcpStream::connect(&address).await.expect("the broker");
    slow.write_all(b"\x16\x03\x01\x02\x00\x01")
        .await
        .expect("a start");
    let ended = async |socket: &mut TcpStream| {
        let mut rest = Vec::new();
        let reading = socket.read_to_end(&mut rest);
        let _ = timeout_at(Instant::now() + TIMEOUT, reading)
            .await
            .expect("it is closed");
    };
    ended(&mut silent).await;
    ended(&mut slow).await;
    let port = address.rsplit(':').next().expect("a port");
    let answer = authority.client(&address);
    let answer = answer
        .get(format!("https://localhost:{port}/livez"))
        .send()
        .await;
    assert_eq!(answer.expect("an answer").status(), StatusCode::OK);
    process.stop("TERM").await.ok();
}

#[tokio::test]
async fn connection_with_unread_answers_is_dropped_after_the_write_timeout() {
    let (place, authority) = (Place::new().await, Authority::new());
    let run = place.serve().set("BROKER_WRITE_TIMEOUT_SECONDS", 0.5);
    let (mut process, address) = start(&place, &authority, run).await;
    let mut stream = authority.connect(&address).await;
    let request = b"GET /openapi.json HTTP/1.1\r\nhost: broker\r\n\r\n";
    // More than any buffer in between can hold. The broker stops reading requests while its answers
    // wait.
    let asking = async {
        while stream.write_all(request).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::select! {
        () = asking => {}
        _ = process.wait_for_log("a client did not read its answer") => {}
    }
    process.stop("TERM").await.ok();
}

#[tokio::test]
async fn invalid_certificate_or_key_is_reported_at_start() {
    let (place, authority) = (Place::new().await, Authority::new());
    let (certificate, key) = authority.files("broker", "localhost");
    let (_, other) = authority.files("other", "localhost");
    let shown = |path: &std::path::Path| path.display().to_string();
    for (certificate, key, reason) in [
        (
            shown(&certificate),
            shown(&other),
            "does not belong to the certificate",
        ),
        (
            shown(&certificate),
            "/nowhere/key.pem".into(),
            "BROKER_TLS_KEY=/nowhere/key.pem",
        ),
        (shown(&key), shown(&key), "holds no certificate"),
        (
            shown(&certificate),
            shown(&certificate),
            "holds no private key",
        ),
    ] {
        let run = place.serve().set("BROKER_TLS_CERT", certificate);
        let ended = run.set("BROKER_TLS_KEY", key).finish().await;
        ended.expect_failure(1, &[reason]);
    }
    let alone = place.serve().set("BROKER_TLS_CERT", shown(&certificate));
    let ended = alone.finish().await;
    ended.expect_failure(
        78,
        &[
            "BROKER_TLS_KEY",
            "must be set together with BROKER_TLS_CERT",
        ],
    );
}

#[tokio::test]
async fn healthcheck_works_over_tls() {
    let (place, authority) = (Place::new().await, Authority::new());
    let (process, address) = start(&place, &authority, place.serve()).await;
    let (certificate, key) = authority.files("broker", "localhost");
    let ask = |bind: &str| {
        let run = place.run(&["healthcheck"]).set("BROKER_BIND", bind);
        let run = run.set("BROKER_TLS_CERT", certificate.display());
        run.set("BROKER_TLS_KEY", key.display()).finish()
    };
    ask(&address).await.ok();
    process.stop("TERM").await.ok();
    ask(&address).await.expect_failure(1, &["does not respond"]);
}
