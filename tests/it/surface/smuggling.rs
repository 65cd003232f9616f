//! Requests whose end a proxy in front of the broker may see elsewhere than the broker does. What
//! follows such a request is never answered as a request of its own: the connection ends.

use reqwest::StatusCode;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

use crate::support::app::App;
use crate::support::observe::TIMEOUT;

/// Sends these bytes and returns everything that the broker sends until it closes the connection.
async fn exchange(app: &App, bytes: &[u8]) -> String {
    let address = app.url.strip_prefix("http://").expect("plain HTTP");
    let mut socket = TcpStream::connect(address).await.expect("the broker");
    // The broker may answer and close before it has read everything.
    let _ = socket.write_all(bytes).await;
    let mut answer = Vec::new();
    let reading = async {
        let mut chunk = [0; 4096];
        while let Ok(read @ 1..) = socket.read(&mut chunk).await {
            answer.extend_from_slice(&chunk[..read]);
        }
    };
    let ended = timeout_at(Instant::now() + TIMEOUT, reading).await;
    ended.unwrap_or_else(|_| panic!("it stays open after {}", String::from_utf8_lossy(bytes)));
    String::from_utf8_lossy(&answer).into_owned()
}

/// Sends a POST with a key and `lines` in its head, then `body`, then a request that must not be
/// processed.
async fn smuggle(app: &App, lines: &str, body: &str) -> String {
    let key = &app.key;
    let hidden = "DELETE /datasets/data/a.csv HTTP/1.1\r\nhost: broker\r\n";
    let hidden = format!("{hidden}authorization: Bearer {key}\r\nconnection: close\r\n\r\n");
    let head = "POST /uploads HTTP/1.1\r\nhost: broker\r\ncontent-type: application/json\r\n";
    let head = format!("{head}authorization: Bearer {key}\r\n{lines}\r\n");
    exchange(app, format!("{head}{body}{hidden}").as_bytes()).await
}

#[track_caller]
fn assert_only_a_rejection(sent: &str, answer: &str) {
    let count = answer.matches("HTTP/1.1 ").count();
    assert_eq!(count, 1, "{sent:?}: {answer}");
    assert!(answer.starts_with("HTTP/1.1 4"), "{sent:?}: {answer}");
}

#[tokio::test]
async fn ambiguous_body_length_is_rejected_and_the_rest_ignored() {
    let app = App::start().await;
    app.upload("/data/a.csv", "a", json!({})).await;
    let chunked = "0\r\n\r\n";
    for (lines, body) in [
        (
            "content-length: 5\r\ntransfer-encoding: chunked\r\n",
            chunked,
        ),
        (
            "transfer-encoding: chunked\r\ncontent-length: 5\r\n",
            chunked,
        ),
        (
            "transfer-encoding: chunked\r\ncontent-length: 0\r\n",
            chunked,
        ),
        ("content-length: 2\r\ncontent-length: 5\r\n", "{}"),
        ("content-length: 0\r\ncontent-length: 2\r\n", "{}"),
        ("content-length: 2, 2\r\n", "{}"),
        ("content-length: +2\r\n", "{}"),
        ("content-length: 0x2\r\n", "{}"),
        ("content-length: 2 2\r\n", "{}"),
        ("content-length : 2\r\n", "{}"),
        (
            "transfer-encoding: identity, chunked, identity\r\n",
            chunked,
        ),
        ("transfer-encoding: chunked, gzip\r\n", chunked),
        ("transfer-encoding: xchunked\r\n", chunked),
        ("transfer-encoding : chunked\r\n", chunked),
        (
            "transfer-encoding: chunked\r\ntransfer-encoding: identity\r\n",
            chunked,
        ),
        // Some proxies take a folded line for another header, others for a part of the previous
        // one.
        ("x-a: b\r\n content-length: 2\r\n", ""),
        ("x-a: b\r\n\ttransfer-encoding: chunked\r\n", ""),
        ("content-length:\r\n 2\r\n", "{}"),
    ] {
        let answer = smuggle(&app, lines, body).await;
        assert_only_a_rejection(lines, &answer);
    }
    app.get("/datasets/data/a.csv").await.expect(StatusCode::OK);
}

#[tokio::test]
async fn malformed_chunks_are_rejected_and_the_rest_ignored() {
    let app = App::start().await;
    app.upload("/data/a.csv", "a", json!({})).await;
    for body in [
        "2\r\n{}X\r\n0\r\n\r\n",
        "g\r\n{}\r\n0\r\n\r\n",
        "-2\r\n{}\r\n0\r\n\r\n",
        "10000000000000002\r\n{}\r\n0\r\n\r\n",
        "0x2\r\n{}\r\n0\r\n\r\n",
    ] {
        let answer = smuggle(&app, "transfer-encoding: chunked\r\n", body).await;
        assert_only_a_rejection(body, &answer);
    }
    app.get("/datasets/data/a.csv").await.expect(StatusCode::OK);
}
