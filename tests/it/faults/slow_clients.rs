//! Clients that send a head or a body slowly, or nothing at all. (Clients that do not read the
//! answer: `datasets::many`.)

use std::time::Duration;

use reqwest::StatusCode;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

use crate::support::app::{App, Setup};
use crate::support::observe::TIMEOUT;
use crate::support::raw;

async fn connect(app: &App) -> TcpStream {
    let address = app.url.strip_prefix("http://").expect("plain HTTP");
    TcpStream::connect(address).await.expect("the broker")
}

/// What the broker sends until it closes the connection, while `drip` is sent repeatedly.
async fn until_closed(mut socket: TcpStream, drip: &[u8]) -> String {
    let deadline = Instant::now() + TIMEOUT;
    let (mut reader, mut writer) = socket.split();
    let dripping = async {
        // An error means that the broker has closed the connection: the reader sees it too.
        while writer.write_all(drip).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        std::future::pending::<()>().await;
    };
    let mut answer = Vec::new();
    // A reset ends the connection as well.
    let reading = async { drop(reader.read_to_end(&mut answer).await) };
    tokio::select! {
        () = reading => {}
        () = dripping => {}
        () = tokio::time::sleep_until(deadline) => panic!("the broker keeps on listening"),
    }
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn slowly_sent_head_times_out() {
    let app = Setup::new()
        .set("BROKER_HEAD_TIMEOUT_SECONDS", 1)
        .start()
        .await;
    let mut socket = connect(&app).await;
    let line = b"GET /uploads HTTP/1.1\r\nhost: broker\r\nx-slow: ";
    socket.write_all(line).await.expect("its start");
    let answer = until_closed(socket, b"s").await;
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    // A client that sends nothing is disconnected as well.
    let answer = until_closed(connect(&app).await, b"").await;
    assert!(
        answer.is_empty() || answer.starts_with("HTTP/1.1 408"),
        "{answer}"
    );
    app.get("/uploads").await.expect(StatusCode::OK);
}

#[tokio::test]
async fn slowly_sent_body_times_out() {
    let app = Setup::new()
        .set("BROKER_REQUEST_TIMEOUT_SECONDS", 1)
        .start()
        .await;
    for lines in [
        "content-length: 60000\r\n",
        "transfer-encoding: chunked\r\n",
    ] {
        let drip: &[u8] = if lines.starts_with("content") {
            b" "
        } else {
            b"1\r\n \r\n"
        };
        let lines = format!("content-type: application/json\r\n{lines}");
        let request = raw::request(&app, "POST /uploads", &lines, b"");
        let request = String::from_utf8(request).unwrap();
        // Without `connection: close`: the broker closes the connection by itself.
        let request = request.replace("connection: close\r\n", "");
        let mut socket = connect(&app).await;
        socket
            .write_all(request.as_bytes())
            .await
            .expect("its start");
        let answer = until_closed(socket, drip).await;
        assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
        assert!(answer.contains("\"request-timeout\""), "{answer}");
    }
    app.get("/uploads").await.expect(StatusCode::OK);
}

/// A broker where no request can take more than two seconds.
async fn app_with_short_timeouts() -> App {
    Setup::new()
        .set("BROKER_HEAD_TIMEOUT_SECONDS", 1)
        .set("BROKER_REQUEST_TIMEOUT_SECONDS", 1)
        .start()
        .await
}

#[tokio::test]
async fn slowly_sent_second_head_closes_connection() {
    let app = app_with_short_timeouts().await;
    let mut socket = connect(&app).await;
    let request = b"GET /livez HTTP/1.1\r\nhost: broker\r\n\r\n";
    socket.write_all(request).await.expect("a request");
    let mut start = [0; 15];
    socket.read_exact(&mut start).await.expect("an answer");
    assert_eq!(&start, b"HTTP/1.1 200 OK");
    let next = b"GET /livez HTTP/1.1\r\nhost: broker\r\nx-slow: ";
    socket.write_all(next).await.expect("the next one's start");
    until_closed(socket, b"s").await;
    app.get("/uploads").await.expect(StatusCode::OK);
}

#[tokio::test]
async fn unread_body_that_is_sent_slowly_closes_connection() {
    let app = app_with_short_timeouts().await;
    let requests = [
        ("GET /heartbeat", "HTTP/1.1 200"),
        ("POST /uploads", "HTTP/1.1 401"),
    ];
    let bodies = [
        ("content-length: 100000", &b"x"[..]),
        ("transfer-encoding: chunked", b"1\r\nx\r\n"),
    ];
    let all = requests.into_iter().flat_map(|(line, status)| {
        bodies.map(|(length, drip)| {
            let app = &app;
            async move {
                let head = format!("{line} HTTP/1.1\r\nhost: broker\r\n{length}\r\n\r\n");
                let mut socket = connect(app).await;
                socket.write_all(head.as_bytes()).await.expect("its start");
                let answer = until_closed(socket, drip).await;
                assert!(answer.starts_with(status), "{head}{answer}");
            }
        })
    });
    futures::future::join_all(all).await;
}

#[tokio::test]
async fn idle_connection_is_closed_after_keep_alive() {
    let app = Setup::new()
        .set("BROKER_KEEP_ALIVE_SECONDS", 1)
        .start()
        .await;
    let mut socket = connect(&app).await;
    let request = b"GET /livez HTTP/1.1\r\nhost: broker\r\n\r\n";
    socket.write_all(request).await.expect("a request");
    let mut answer = Vec::new();
    let all = socket.read_to_end(&mut answer);
    let all = timeout_at(Instant::now() + TIMEOUT, all).await;
    all.expect("it is closed").expect("an answer");
    assert!(answer.starts_with(b"HTTP/1.1 200"), "{answer:?}");
}
