//! When a connection ends: after a rejected body, after the last request, and after an answer
//! without a length to a client that does not support chunks.

use std::time::Duration;

use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

use crate::support::app::{App, Setup, id};
use crate::support::observe::TIMEOUT;
use crate::support::raw;

/// The number of bytes of a rejected body that the broker and the kernels of both ends may accept.
const MOST_BYTES: usize = 64 * 1024 * 1024;

async fn connect(app: &App) -> TcpStream {
    let address = app.url.strip_prefix("http://").expect("plain HTTP");
    TcpStream::connect(address).await.expect("the broker")
}

/// Sends these bytes and returns everything that the broker sends until it closes the connection.
async fn exchange(app: &App, bytes: &[u8]) -> String {
    let mut socket = connect(app).await;
    socket.write_all(bytes).await.expect("the requests");
    let mut answer = Vec::new();
    let reading = socket.read_to_end(&mut answer);
    let ended = timeout_at(Instant::now() + TIMEOUT, reading).await;
    let sent = String::from_utf8_lossy(bytes).into_owned();
    ended
        .unwrap_or_else(|_| panic!("it stays open after {sent}"))
        .unwrap_or_else(|error| panic!("{error} after {sent}"));
    String::from_utf8_lossy(&answer).into_owned()
}

/// Sends `head` and then `chunk` repeatedly until the broker ends the connection. Returns the
/// answer and the number of bytes that were accepted.
async fn pump(app: &App, head: &str, chunk: &[u8]) -> (String, usize) {
    let mut socket = connect(app).await;
    socket.write_all(head.as_bytes()).await.expect("a head");
    let (mut reader, mut writer) = socket.split();
    let mut answer = Vec::new();
    let reading = async {
        // A reset ends the connection too.
        let _ = reader.read_to_end(&mut answer).await;
    };
    let mut sent = 0;
    let writing = async {
        while sent < MOST_BYTES && writer.write_all(chunk).await.is_ok() {
            sent += chunk.len();
        }
    };
    let all = async { tokio::join!(reading, writing) };
    let ended = timeout_at(Instant::now() + TIMEOUT, all).await;
    ended.unwrap_or_else(|_| panic!("it reads on after {sent} bytes behind {head}"));
    (String::from_utf8_lossy(&answer).into_owned(), sent)
}

#[tokio::test]
async fn endless_body_of_rejected_request_is_not_read_to_the_end() {
    let app = Setup::new()
        .set("BROKER_RATE_LIMIT_PER_KEY", "0.001:1")
        .start()
        .await;
    app.get("/uploads").await.expect(StatusCode::OK);
    let other = app
        .issue_key(
            "default",
            &upload_broker::domain::principal::Scope::ALL,
            None,
        )
        .await
        .1;
    let endless = "content-length: 1000000000000\r\n";
    let chunked = "transfer-encoding: chunked\r\n";
    let plain = vec![b' '; 64 * 1024];
    let chunk = [b"10000\r\n", &plain[..], b"\r\n"].concat();
    for (status, key) in [(401, "none"), (429, &app.key), (413, &other)] {
        for (framing, bytes) in [(endless, &plain), (chunked, &chunk)] {
            if status == 413 && framing == chunked {
                // The previous request was the only one that the limit allows this key.
                continue;
            }
            let head = format!(
                "POST /uploads HTTP/1.1\r\nhost: broker\r\nauthorization: Bearer {key}\r\ncontent-type: application/json\r\n{framing}\r\n"
            );
            let (answer, sent) = pump(&app, &head, bytes).await;
            let expected = format!("HTTP/1.1 {status} ");
            assert!(answer.starts_with(&expected), "{expected}: {answer}");
            assert!(sent < MOST_BYTES, "{status}: {sent} bytes were read");
        }
    }
}

#[tokio::test]
async fn endless_chunked_body_over_the_limit_is_not_read_to_the_end() {
    let app = App::start().await;
    let head = raw::request(
        &app,
        "POST /uploads",
        "content-type: application/json\r\ntransfer-encoding: chunked\r\n",
        b"",
    );
    let head = String::from_utf8(head).expect("text");
    let head = head.replace("connection: close\r\n", "");
    let chunk = [b"10000\r\n", &vec![b' '; 64 * 1024][..], b"\r\n"].concat();
    let (answer, sent) = pump(&app, &head, &chunk).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    assert!(sent < MOST_BYTES, "{sent} bytes were read");
}

#[tokio::test]
async fn connection_stays_open_after_rejected_request_with_complete_body() {
    let app = App::start().await;
    let body = r#"{"path":"/a"}"#;
    let post = format!(
        "POST /uploads HTTP/1.1\r\nhost: broker\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let last = "GET /heartbeat HTTP/1.1\r\nhost: broker\r\nconnection: close\r\n\r\n";
    let answer = exchange(&app, format!("{post}{last}").as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
    assert!(answer.contains("HTTP/1.1 200 "), "{answer}");
}

#[tokio::test]
async fn request_after_connection_close_is_not_processed() {
    let app = App::start().await;
    let key = &app.key;
    let body = r#"{"path":"/hidden.csv"}"#;
    let hidden = format!(
        "POST /uploads HTTP/1.1\r\nhost: broker\r\nauthorization: Bearer {key}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let authorization = format!("authorization: Bearer {key}\r\n");
    for first in [
        // These are answered at once, answered after a query, rejected at once, and rejected for
        // their body.
        "GET /heartbeat HTTP/1.1\r\nhost: broker\r\nconnection: close\r\n\r\n".to_owned(),
        "GET /heartbeat HTTP/1.1\r\nhost: broker\r\nconnection: Keep-Alive, Close\r\n\r\n"
            .to_owned(),
        "GET /heartbeat HTTP/1.0\r\n\r\n".to_owned(),
        format!(
            "GET /uploads HTTP/1.1\r\nhost: broker\r\nconnection: close\r\n{authorization}\r\n"
        ),
        "GET /uploads HTTP/1.1\r\nhost: broker\r\nconnection: close\r\n\r\n".to_owned(),
        format!(
            "POST /uploads HTTP/1.1\r\nhost: broker\r\nconnection: close\r\n{authorization}content-type: application/json\r\ncontent-length: 2\r\n\r\n{{}}"
        ),
    ] {
        let answer = exchange(&app, format!("{first}{hidden}").as_bytes()).await;
        let count = answer.matches("HTTP/1.").count();
        assert_eq!(count, 1, "{first}: {answer}");
    }
    let uploads = app.get("/uploads").await.expect(StatusCode::OK);
    assert_eq!(uploads, json!([]), "a hidden request was carried out");
}

#[tokio::test]
async fn pipelined_requests_are_all_answered() {
    let app = App::start().await;
    let one = "GET /heartbeat HTTP/1.1\r\nhost: broker\r\n\r\n";
    let last = "GET /heartbeat HTTP/1.1\r\nhost: broker\r\nconnection: close\r\n\r\n";
    let answer = exchange(&app, format!("{one}{one}{one}{last}").as_bytes()).await;
    assert_eq!(answer.matches("HTTP/1.1 200 ").count(), 4, "{answer}");
}

#[tokio::test]
async fn http_1_0_client_gets_streams_without_chunks() {
    let app = App::start().await;
    app.upload("/data/a.csv", "a", json!({})).await;
    let parts = json!({"multipart": true, "size": 12_000_000, "part_size": 5_242_880});
    let session = app.create("/data/b.bin", parts).await;
    let id = id(&session);
    let many = json!({"uploads": [{"path": "/data/c.csv"}, {"path": "/data/d.csv"}]});
    let (create, sign) = (many.to_string(), json!({"from": 1, "count": 3}).to_string());
    for (line, accept, body) in [
        ("POST /uploads/batch".to_owned(), "application/json", create),
        (
            format!("POST /uploads/{id}/parts"),
            "application/json",
            sign,
        ),
        (
            format!("GET /uploads/{id}/parts"),
            "application/json",
            String::new(),
        ),
        (
            "GET /datasets".to_owned(),
            "application/x-ndjson",
            String::new(),
        ),
    ] {
        let length = body.len();
        let lines = format!(
            "accept: {accept}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n"
        );
        for connection in ["close", "keep-alive"] {
            let request = raw::request(&app, &line, &lines, body.as_bytes());
            let request = String::from_utf8(request).expect("text");
            let request = request.replace(" HTTP/1.1", " HTTP/1.0");
            let request =
                request.replace("connection: close", &format!("connection: {connection}"));
            let reply = timeout_at(
                Instant::now() + Duration::from_secs(20),
                raw::send(&app, request),
            );
            let reply = reply.await.unwrap_or_else(|_| panic!("{line} has no end"));
            assert!(matches!(reply.status, 200 | 201), "{line}: {reply:#?}");
            let head = reply.head.to_ascii_lowercase();
            assert!(!head.contains("transfer-encoding"), "{line}: {reply:#?}");
            let read: Result<Value, _> = serde_json::from_str(&reply.body);
            read.unwrap_or_else(|error| panic!("{line}: {error}: {reply:#?}"));
        }
    }
}
