//! SIGTERM under load: every request that was sent before it gets its complete answer. A later
//! request gets a complete answer or none.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::database;
use crate::support::process::TIMEOUT;
use crate::support::reply::Reply;
use crate::support::serving::{Caller, Place};

/// What a client received for its last request.
#[derive(Debug, PartialEq, Eq)]
enum Seen {
    /// A 201 with a complete upload.
    Answered,
    /// Not a single byte.
    Nothing,
}

/// Clients that create uploads, and the moment at which the broker is asked to stop.
struct Load {
    address: SocketAddr,
    key: String,
    created: AtomicUsize,
    signalled: AtomicBool,
}

impl Load {
    fn request(&self, number: usize, close: bool) -> Vec<u8> {
        let body = json!({"path": format!("/{number}.csv")}).to_string();
        let connection = if close { "close" } else { "keep-alive" };
        let (key, length) = (&self.key, body.len());
        format!(
            "POST /uploads HTTP/1.1\r\nhost: broker\r\nauthorization: Bearer {key}\r\n\
             content-type: application/json\r\nconnection: {connection}\r\n\
             content-length: {length}\r\n\r\n{body}"
        )
        .into_bytes()
    }

    /// Runs one client, which sends requests over new connections or over one connection until the
    /// broker is gone.
    async fn client(&self, number: usize) {
        let close = number.is_multiple_of(2);
        let mut socket = None;
        for turn in 0.. {
            if socket.is_none() {
                let Ok(new) = TcpStream::connect(self.address).await else {
                    assert!(
                        self.signalled.load(Ordering::SeqCst),
                        "refused before the stop"
                    );
                    return;
                };
                socket = Some(new);
            }
            let stream = socket.as_mut().expect("a connection");
            let request = self.request(number * 1_000_000 + turn, close);
            let sent = stream.write_all(&request).await.is_ok();
            let before_the_stop = !self.signalled.load(Ordering::SeqCst);
            let (seen, closes) = answer(stream).await;
            if seen == Seen::Answered {
                self.created.fetch_add(1, Ordering::SeqCst);
            } else {
                assert!(
                    !(sent && before_the_stop),
                    "client {number}: request {turn} was sent before the stop and has no answer"
                );
            }
            if closes || seen == Seen::Nothing {
                socket = None;
            }
        }
    }
}

/// Reads an answer and returns whether the connection ends with it. A partial answer fails the
/// test.
async fn answer(stream: &mut TcpStream) -> (Seen, bool) {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let head = head.to_ascii_lowercase();
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "));
            let length: usize = length.expect("a length").parse().expect("a number");
            if body.len() == length {
                assert!(head.starts_with("http/1.1 201"), "{text}");
                return (Seen::Answered, head.contains("connection: close"));
            }
        }
        let read = tokio::time::timeout(TIMEOUT, stream.read_buf(&mut bytes)).await;
        if !matches!(read.expect("an answer or an end"), Ok(1..)) {
            assert!(bytes.is_empty(), "half an answer: {text}");
            return (Seen::Nothing, true);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_sent_before_sigterm_is_dropped_under_load() {
    let place = Place::new().await;
    let (process, caller) = place.start(place.serve()).await;
    let address = caller.url.strip_prefix("http://").expect("a URL");
    let load = Arc::new(Load {
        address: address.parse().expect("an address"),
        key: caller.key.clone(),
        created: AtomicUsize::new(0),
        signalled: AtomicBool::new(false),
    });
    let clients: Vec<_> = (0..40)
        .map(|number| {
            let load = Arc::clone(&load);
            tokio::spawn(async move { load.client(number).await })
        })
        .collect();
    let busy = async {
        while load.created.load(Ordering::SeqCst) < 400 {
            tokio::task::yield_now().await
        }
    };
    tokio::time::timeout(TIMEOUT, busy).await.expect("load");
    load.signalled.store(true, Ordering::SeqCst);
    let ended = process.stop("TERM").await.ok();
    assert!(
        !ended.err.contains("dropped tasks that did not stop"),
        "{ended:#?}"
    );
    for client in clients {
        client.await.expect("a client");
    }
    let rows = database::connect(place.database.url()).await;
    let rows = rows.query_one("SELECT count(*) FROM uploads", &[]).await;
    let rows: i64 = rows.expect("a number").get(0);
    let created = load.created.load(Ordering::SeqCst);
    assert!(
        usize::try_from(rows).expect("a number") >= created,
        "{rows} of {created}"
    );
}

/// A load balancer needs time to stop sending requests. Until then `/readyz` fails and everything
/// else works.
#[tokio::test]
async fn readyz_fails_during_stop_delay_while_requests_are_served() {
    let place = Place::new().await;
    let run = place.serve().set("BROKER_STOP_DELAY_SECONDS", 20);
    let (mut process, caller) = place.start(run).await;
    assert_eq!(
        caller.get("/readyz").await.expect(StatusCode::OK)["status"],
        "ready"
    );
    process.signal("TERM");
    process.wait_for_log("SIGTERM: stopping").await;
    // The answer of `/readyz` that is cached for a second must not hide the stop.
    let reply = caller.get("/readyz").await;
    assert_eq!(reply.header("connection"), Some("close"), "{reply:#?}");
    assert!(reply.header("retry-after").is_some(), "{reply:#?}");
    let ready = reply.expect(StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(ready["status"], "stopping", "{ready:#}");
    assert_eq!(ready["checks"]["postgres"], "ok", "{ready:#}");
    caller.upload("/late.csv", "x").await;
    let live = Reply::of(caller.request(Method::GET, "/livez")).await;
    live.expect(StatusCode::OK);
    process
        .stop("TERM")
        .await
        .expect_failure(1, &["stopping at once"]);
}

#[tokio::test]
async fn serve_exits_after_the_stop_delay() {
    let place = Place::new().await;
    let run = place.serve().set("BROKER_STOP_DELAY_SECONDS", 1);
    let (process, caller) = place.start(run).await;
    let start = std::time::Instant::now();
    process.stop("TERM").await.ok();
    assert!(
        start.elapsed() >= Duration::from_secs(1),
        "{:?}",
        start.elapsed()
    );
    caller.http.get(&caller.url).send().await.expect_err("gone");

    let run = place.serve().set("BROKER_STOP_DELAY_SECONDS", 25);
    run.finish().await.expect_failure(
        78,
        &[
            "BROKER_STOP_DELAY_SECONDS",
            "less than BROKER_SHUTDOWN_SECONDS",
        ],
    );
}

/// Simulates a panic in one of the background loops.
#[tokio::test]
async fn panic_in_a_background_loop_ends_the_service() {
    let setup = crate::support::setup::Setup::new();
    let app = setup.start().await;
    app.get("/readyz").await.expect(StatusCode::OK);
    let caller = Caller::new(app.url.clone(), app.key.clone());
    let code = app.panic_in_loop().await;
    assert_eq!(
        format!("{code:?}"),
        format!("{:?}", std::process::ExitCode::FAILURE)
    );
    caller
        .http
        .get(&caller.url)
        .send()
        .await
        .expect_err("half alive");
}
