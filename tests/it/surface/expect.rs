//! `Expect: 100-continue`: the broker asks for a body only where it needs it.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};
use upload_broker::domain::principal::Scope;

use crate::support::app::App;
use crate::support::observe::TIMEOUT;

const CONTINUE: &str = "HTTP/1.1 100 Continue\r\n\r\n";
const BODY: &str = r#"{"path":"/data/a.csv","size":1,"overwrite":true}"#;

async fn connect(app: &App) -> TcpStream {
    let address = app.url.strip_prefix("http://").expect("plain HTTP");
    TcpStream::connect(address).await.expect("the broker")
}

fn head(line: &str, key: &str, length: usize) -> String {
    format!(
        "{line} HTTP/1.1\r\nhost: broker\r\nauthorization: Bearer {key}\r\ncontent-type: application/json\r\nexpect: 100-continue\r\ncontent-length: {length}\r\n\r\n"
    )
}

/// Reads until the text contains `end` or the broker closes the connection.
async fn read_until(socket: &mut TcpStream, end: &str) -> String {
    let mut bytes = Vec::new();
    let reading = async {
        let mut chunk = [0; 4096];
        while !String::from_utf8_lossy(&bytes).contains(end) {
            match socket.read(&mut chunk).await {
                Ok(read @ 1..) => bytes.extend_from_slice(&chunk[..read]),
                _ => break,
            }
        }
    };
    let ended = timeout_at(Instant::now() + TIMEOUT, reading).await;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    ended.unwrap_or_else(|_| panic!("no {end:?} in {text:?}"));
    text
}

#[tokio::test]
async fn rejected_request_gets_no_100_continue() {
    let app = App::start().await;
    let (_, reader) = app.issue_key("default", &[Scope::UploadsRead], None).await;
    for (line, key, length, status) in [
        ("POST /uploads", "unknown", BODY.len(), 401),
        ("POST /uploads", &*reader, BODY.len(), 403),
        ("POST /uploads", &*app.key, 10_000_000, 413),
        ("POST /nowhere", &*app.key, BODY.len(), 404),
        ("POST /heartbeat", "", BODY.len(), 405),
    ] {
        let mut socket = connect(&app).await;
        let head = head(line, key, length);
        socket.write_all(head.as_bytes()).await.expect("a head");
        // The connection ends, because the body would be taken for the next request.
        let answer = read_until(&mut socket, "there is no such text").await;
        let expected = format!("HTTP/1.1 {status} ");
        assert!(answer.starts_with(&expected), "{head}{answer}");
        assert!(answer.contains("connection: close"), "{head}{answer}");
    }
}

#[tokio::test]
async fn accepted_request_gets_100_continue_once() {
    let app = App::start().await;
    let mut socket = connect(&app).await;
    // Three requests on one connection. The second one is sent together with a request before it,
    // the third one with its body at once.
    for (before, waits) in [
        ("", true),
        ("GET /livez HTTP/1.1\r\nhost: broker\r\n\r\n", true),
        ("", false),
    ] {
        let head = format!("{before}{}", head("POST /uploads", &app.key, BODY.len()));
        let all = if waits { head } else { format!("{head}{BODY}") };
        socket.write_all(all.as_bytes()).await.expect("a head");
        let mut answer = String::new();
        if waits {
            answer = read_until(&mut socket, CONTINUE).await;
            assert!(answer.ends_with(CONTINUE), "{answer}");
            assert!(!answer.contains("HTTP/1.1 201 "), "{answer}");
            socket.write_all(BODY.as_bytes()).await.expect("a body");
        }
        answer += &read_until(&mut socket, "\"multipart\":null}").await;
        assert!(answer.contains("HTTP/1.1 201 "), "{answer}");
        assert!(answer.matches("100 Continue").count() <= 1, "{answer}");
        assert_eq!(
            answer.contains("HTTP/1.1 200 "),
            !before.is_empty(),
            "{answer}"
        );
    }
}
