//! SIGTERM: no new connections are accepted, running requests are finished, and the exit code is 0.
//! A second signal stops the process at once.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use reqwest::StatusCode;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

use crate::support::blocked_gate::BlockedGate;
use crate::support::cloud;
use crate::support::process::{Process, TIMEOUT};
use crate::support::reply::Reply;
use crate::support::serving::{Caller, Place};

/// A broker with a running acknowledge, which waits for an S3 that does not answer yet.
struct Held {
    process: Process,
    caller: Caller,
    blocked_s3: BlockedGate,
    acknowledge: JoinHandle<Reply>,
    _place: Place,
}

impl Held {
    async fn new() -> Held {
        let place = Place::new().await;
        let mut blocked_s3 = BlockedGate::new(cloud::address()).await;
        let run = place.serve();
        let run = run.set("AWS_ENDPOINT_URL_S3", blocked_s3.endpoint());
        let run = run.set("BROKER_S3_PUBLIC_ENDPOINT", cloud::endpoint());
        let (process, caller) = place.start(run).await;
        let session = caller.create("/data/slow.csv").await;
        caller.put(&session, "id\n1\n").await.expect_ok();
        let other = caller.clone();
        let acknowledge = tokio::spawn(async move { other.acknowledge(&session).await });
        blocked_s3.request_waits().await;
        Held {
            process,
            caller,
            blocked_s3,
            acknowledge,
            _place: place,
        }
    }

    fn address(&self) -> SocketAddr {
        let address = self.caller.url.strip_prefix("http://").expect("a URL");
        address.parse().expect("an address")
    }
}

/// Returns as soon as connections to `address` are refused.
async fn refused(address: SocketAddr) {
    let closed = async { while TcpStream::connect(address).await.is_ok() {} };
    let closed = tokio::time::timeout(TIMEOUT, closed).await;
    closed.expect("it still takes connections");
}

#[tokio::test]
async fn running_request_is_finished_after_sigterm() {
    let mut held = Held::new().await;
    held.process.signal("TERM");
    held.process.wait_for_log("SIGTERM: stopping").await;
    refused(held.address()).await;
    held.blocked_s3.release();
    let done: Value = held
        .acknowledge
        .await
        .expect("a caller")
        .expect(StatusCode::OK);
    assert_eq!(done["status"], "Uploaded", "{done:#}");
    let ended = held.process.wait().await.ok();
    assert!(ended.err.contains("stopped"), "{ended:#?}");
}

#[tokio::test]
async fn second_signal_stops_at_once() {
    let mut held = Held::new().await;
    held.process.signal("TERM");
    held.process.wait_for_log("SIGTERM: stopping").await;
    let start = Instant::now();
    held.process.signal("INT");
    let ended = held.process.wait().await;
    // It waited neither for the shutdown timeout (25 s) nor for the timeout of S3 calls (5 s).
    assert!(
        start.elapsed() < Duration::from_secs(4),
        "{:?}",
        start.elapsed()
    );
    ended.expect_failure(1, &["SIGINT while stopping: stopping at once", "http"]);
}

/// Clients that keep a connection open without a request do not delay the stop.
#[tokio::test]
async fn idle_connections_do_not_delay_the_stop() {
    let place = Place::new().await;
    let (process, caller) = place.start(place.serve()).await;
    caller.get("/datasets").await.expect_ok();
    let silent = caller.url.strip_prefix("http://").expect("a URL");
    let silent = TcpStream::connect(silent).await.expect("a connection");
    let start = Instant::now();
    process.stop("TERM").await.ok();
    assert!(
        start.elapsed() < Duration::from_secs(10),
        "{:?}",
        start.elapsed()
    );
    drop((caller, silent));
}

/// Work that does not finish within the shutdown timeout is dropped and named in the log.
#[tokio::test]
async fn work_beyond_the_shutdown_timeout_is_dropped() {
    let place = Place::new().await;
    let mut blocked_s3 = BlockedGate::new(cloud::address()).await;
    let run = place
        .serve()
        .set("AWS_ENDPOINT_URL_S3", blocked_s3.endpoint());
    let (process, caller) = place.start(run.set("BROKER_SHUTDOWN_SECONDS", "1")).await;
    let listing = tokio::spawn(async move {
        caller
            .request(reqwest::Method::GET, "/datasets")
            .send()
            .await
    });
    blocked_s3.request_waits().await;
    let start = Instant::now();
    let ended = process.stop("TERM").await;
    assert!(
        start.elapsed() < Duration::from_secs(4),
        "{:?}",
        start.elapsed()
    );
    ended.expect_failure(1, &["dropped tasks that did not stop"]);
    assert!(
        listing.await.expect("a caller").is_err(),
        "an answer after the end"
    );
}

/// The results of the requests of one client.
#[derive(Debug, Default)]
struct Requests {
    answered: usize,
    /// What happened to each request that was sent and not answered.
    unanswered: Vec<String>,
}

/// Sends requests over a new connection each, until connections are refused.
async fn send_until_refused(address: SocketAddr) -> Requests {
    let mut asked = Requests::default();
    while let Ok(mut connection) = TcpStream::connect(address).await {
        let request = "GET /uploads HTTP/1.1\r\nhost: broker\r\nconnection: close\r\n\r\n";
        if connection.write_all(request.as_bytes()).await.is_err() {
            continue;
        }
        let mut answer = Vec::new();
        match connection.read_to_end(&mut answer).await {
            Ok(_) if answer.starts_with(b"HTTP/1.1 ") => asked.answered += 1,
            end => (asked.unanswered).push(format!("{end:?}: {} bytes", answer.len())),
        }
    }
    asked
}

/// A client can connect and send a request before the broker has accepted the connection. Such a
/// request is answered too.
#[tokio::test]
async fn every_request_sent_before_the_stop_is_answered() {
    for round in 0..5 {
        let place = Place::new().await;
        let (process, caller) = place.start(place.serve()).await;
        let address = caller.url.strip_prefix("http://").expect("a URL");
        let address: SocketAddr = address.parse().expect("an address");
        let clients: Vec<_> = (0..16)
            .map(|_| tokio::spawn(send_until_refused(address)))
            .collect();
        // The clients are running.
        let busy = async { while !caller.get("/livez").await.status.is_success() {} };
        busy.await;
        process.stop("TERM").await.ok();
        let mut all = Requests::default();
        for client in clients {
            let asked = client.await.expect("a client");
            all.answered += asked.answered;
            all.unanswered.extend(asked.unanswered);
        }
        assert!(all.answered > 0, "round {round}: hardly any load");
        assert_eq!(
            all.unanswered, [""; 0],
            "round {round}: {} answered",
            all.answered
        );
    }
}
