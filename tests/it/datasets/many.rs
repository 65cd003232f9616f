//! Lists of more than one page: the embedded store holds thousands of objects, and the broker
//! buffers none of them.

use std::fs;
use std::net::SocketAddr;

use futures::StreamExt as _;
use reqwest::{Method, StatusCode};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::OnceCell;
use tokio_util::sync::CancellationToken;
use upload_broker::dev::s3::{Options, start};

use super::{next, paths};
use crate::support::app::{App, Setup};
use crate::support::gate::Gate;
use crate::support::observe::eventually;
use crate::support::reply::Reply;
use crate::support::{cloud, process_folder, raw, shared};

const BUCKET: &str = "many";
/// Objects under `many/`, with short keys: one and a half pages.
const SHORT: usize = 1_500;
/// Objects under `long/`, with keys of a thousand bytes: more than the buffers of a socket hold.
const LONG: usize = 8_000;

/// The address of the store. It is filled once and never written to after that.
async fn store() -> SocketAddr {
    static STORE: OnceCell<SocketAddr> = OnceCell::const_new();
    let filled = || async { shared().spawn(fill()).await.expect("a filled store") };
    *STORE.get_or_init(filled).await
}

async fn fill() -> SocketAddr {
    let dir = process_folder::path().join("many");
    if dir.exists() {
        fs::remove_dir_all(&dir).expect("a folder of ours");
    }
    let options = Options {
        dir,
        bind: ([127, 0, 0, 1], 0).into(),
        access_key: cloud::ACCESS_KEY_ID.into(),
        secret_key: cloud::SECRET_ACCESS_KEY.into(),
        region: cloud::REGION.into(),
        buckets: vec![BUCKET.into()],
        fsync: false,
        observer: None,
    };
    let server = start(options).await.expect("a store");
    let address = server.local_addr();
    shared().spawn(server.run(CancellationToken::new()));
    let s3 = cloud::s3(&format!("http://{address}"));
    let short = (0..SHORT).map(|n| format!("many/{n:04}.csv"));
    let long = (0..LONG).map(|n| format!("long/{n:04}{}", "x".repeat(1_000)));
    let puts = short.chain(long).map(|key| {
        let put = s3.put_object().bucket(BUCKET).key(key);
        put.body(b"x".to_vec().into()).send()
    });
    let puts = futures::stream::iter(puts).buffer_unordered(32);
    puts.for_each(async |put| {
        put.expect("an object");
    })
    .await;
    address
}

async fn app(endpoint: String) -> App {
    let setup = Setup::new().s3(endpoint).set("BROKER_S3_BUCKET", BUCKET);
    setup.start().await
}

async fn all_pages(app: &App, first: &str) -> (usize, Vec<String>) {
    let mut page = Some(first.to_owned());
    let (mut pages, mut seen) = (0, Vec::new());
    while let Some(path) = page {
        let reply = app.get(&path).await;
        page = next(&reply);
        let entries = reply.expect(StatusCode::OK);
        seen.extend(paths(&entries).into_iter().map(str::to_owned));
        pages += 1;
    }
    (pages, seen)
}

fn short() -> Vec<String> {
    (0..SHORT).map(|n| format!("/many/{n:04}.csv")).collect()
}

#[tokio::test]
async fn pages_return_fifteen_hundred_datasets_once_in_order() {
    let app = app(format!("http://{}", store().await)).await;
    for (query, pages) in [
        ("", 15),
        ("&limit=400", 4),
        ("&limit=1000&include=upload", 2),
    ] {
        let (asked, seen) = all_pages(&app, &format!("/datasets?prefix=/many/{query}")).await;
        assert_eq!(asked, pages, "{query}");
        assert_eq!(seen, short(), "{query}");
    }
}

#[tokio::test]
async fn ndjson_streams_fifteen_hundred_datasets_once_in_order() {
    let app = app(format!("http://{}", store().await)).await;
    for (query, upload) in [("", None), ("&include=upload&limit=7", Some(&Value::Null))] {
        let request = app.request(Method::GET, &format!("/datasets?prefix=/many/{query}"));
        let reply = Reply::of(request.header("accept", "application/x-ndjson")).await;
        assert_eq!(reply.status, StatusCode::OK);
        assert_eq!(reply.header("content-type"), Some("application/x-ndjson"));
        assert_eq!(reply.header("link"), None, "there is no next page");
        assert!(reply.body.ends_with('\n'));
        let lines: Vec<Value> = reply
            .body
            .lines()
            .map(|line| serde_json::from_str(line).expect("a line of JSON"))
            .collect();
        let seen: Vec<_> = lines.iter().map(|line| line["path"].as_str()).collect();
        assert_eq!(
            seen,
            short()
                .iter()
                .map(|path| Some(path.as_str()))
                .collect::<Vec<_>>()
        );
        assert!(
            lines.iter().all(|line| line.get("upload") == upload),
            "{query}"
        );
    }
}

/// The number of pages that the broker has requested from the store.
async fn pages_requested(app: &App) -> u64 {
    let metrics = Reply::of(app.http.get(format!("{}/metrics", app.url))).await;
    let calls = metrics.body.lines().filter(|line| {
        line.starts_with("upload_broker_s3_")
            && line.contains("_count{")
            && line.contains("ListObjectsV2")
    });
    calls
        .map(|line| {
            line.rsplit(' ')
                .next()
                .and_then(|n| n.parse::<u64>().ok())
                .expect("a count")
        })
        .sum()
}

/// Requests all of `long/` with a tiny receive buffer, and reads the first bytes.
async fn slow_reader(app: &App) -> TcpStream {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(4_096).expect("a small buffer");
    let address = app.url.trim_start_matches("http://").parse();
    let stream = socket.connect(address.expect("an address")).await;
    let mut stream = stream.expect("the broker");
    let lines = "accept: application/x-ndjson\r\n";
    let request = raw::request(app, "GET /datasets?prefix=/long/", lines, b"");
    stream.write_all(&request).await.expect("a request");
    let mut head = [0; 512];
    stream.read_exact(&mut head).await.expect("an answer");
    assert!(
        head.starts_with(b"HTTP/1.1 200 OK\r\n"),
        "{}",
        String::from_utf8_lossy(&head)
    );
    stream
}

#[tokio::test]
async fn slow_reader_does_not_make_broker_buffer_the_list() {
    let app = app(format!("http://{}", store().await)).await;
    let mut stream = slow_reader(&app).await;
    // A broker that reads ahead would have the time to do so.
    for _ in 0..50 {
        app.get("/datasets?prefix=/many/&limit=1").await.expect_ok();
    }
    let asked = pages_requested(&app).await - 50;
    assert!(
        asked < 7,
        "{asked} of 8 pages were requested, and none was read"
    );
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).await.expect("the rest");
    assert!(
        rest.ends_with(b"\r\n0\r\n\r\n"),
        "a whole answer has its final chunk"
    );
    let lines = rest.iter().filter(|byte| **byte == b'\n').count();
    assert!(lines > LONG, "{lines}");
    assert_eq!(pages_requested(&app).await - 50, 8);
}

#[tokio::test]
async fn interrupted_ndjson_list_has_no_final_chunk() {
    let gate = Gate::new(store().await);
    let app = app(gate.endpoint()).await;
    let mut stream = slow_reader(&app).await;
    gate.close().await;
    let mut rest = Vec::new();
    // A reset connection is a visible end as well.
    let _ = stream.read_to_end(&mut rest).await;
    let lines = rest.iter().filter(|byte| **byte == b'\n').count();
    assert!(
        lines < LONG,
        "the whole list came through a shut gate: {lines}"
    );
    assert!(
        !rest.ends_with(b"\r\n0\r\n\r\n"),
        "a short list that looks whole"
    );
    // No other answer was affected.
    gate.restore();
    app.get("/datasets?prefix=/many/&limit=1").await.expect_ok();
}

#[tokio::test]
async fn stalled_reader_is_disconnected_after_write_timeout() {
    let endpoint = format!("http://{}", store().await);
    let app = Setup::new()
        .s3(endpoint)
        .set("BROKER_S3_BUCKET", BUCKET)
        .set("BROKER_WRITE_TIMEOUT_SECONDS", 0.5)
        .set("BROKER_MAX_IN_FLIGHT", 1)
        .start()
        .await;
    let mut stream = slow_reader(&app).await;
    // The only in-flight slot is taken for as long as the answer lasts.
    let reply = app.get("/datasets?prefix=/many/&limit=1").await;
    reply.expect_problem(503, "overloaded");
    eventually("the place is free again", async || {
        let reply = app.get("/datasets?prefix=/many/&limit=1").await;
        reply.status == StatusCode::OK
    })
    .await;
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest).await;
    assert!(!rest.ends_with(b"\r\n0\r\n\r\n"), "it was not cut off");
}
