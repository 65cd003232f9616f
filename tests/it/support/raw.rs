//! Sends raw bytes over a socket, for requests that no correct client would send.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::app::App;

/// A response as it was received.
#[derive(Debug)]
pub struct RawReply {
    pub status: u16,
    /// The status line and the headers.
    pub head: String,
    pub body: String,
}

impl RawReply {
    /// Fails unless the response is a problem document with this status and code.
    #[track_caller]
    pub fn expect_problem(&self, status: u16, code: &str) {
        assert_eq!(self.status, status, "{self:#?}");
        let head = self.head.to_ascii_lowercase();
        assert!(
            head.contains("content-type: application/problem+json"),
            "{self:#?}"
        );
        assert!(self.body.contains(code), "{self:#?}");
    }
}

/// Sends `request` unchanged, and reads until the broker closes the connection.
pub async fn send(app: &App, request: impl AsRef<[u8]>) -> RawReply {
    let address = app.url.strip_prefix("http://").expect("plain HTTP");
    let mut socket = TcpStream::connect(address).await.expect("the broker");
    // The broker may respond and close the connection before it has read everything.
    let _ = socket.write_all(request.as_ref()).await;
    let mut answer = Vec::new();
    let mut chunk = [0; 4096];
    while let Ok(read @ 1..) = socket.read(&mut chunk).await {
        answer.extend_from_slice(&chunk[..read]);
    }
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let (head, body) = answer
        .split_once("\r\n\r\n")
        .unwrap_or_else(|| panic!("no HTTP answer: {answer:?}"));
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok());
    RawReply {
        status: status.unwrap_or_else(|| panic!("no status: {head}")),
        head: head.to_owned(),
        body: body.to_owned(),
    }
}

/// Returns a request with the key of the app, the header lines `lines`, and a body.
pub fn request(app: &App, line: &str, lines: &str, body: &[u8]) -> Vec<u8> {
    let key = &app.key;
    let mut bytes = format!(
        "{line} HTTP/1.1\r\nhost: broker\r\nconnection: close\r\nauthorization: Bearer {key}\r\n{lines}\r\n"
    )
    .into_bytes();
    bytes.extend_from_slice(body);
    bytes
}
