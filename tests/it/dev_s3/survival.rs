//! Stops, crashes and lost connections: an object is there whole, or not at all.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use upload_broker::dev::s3::start;

use super::{BUCKET, Stand, for_an_hour, options};

#[tokio::test(flavor = "multi_thread")]
async fn restart_keeps_objects_and_deletes_orphaned_files() {
    let stand = Stand::start().await;
    stand.put("kept/é", b"bytes").await;
    stand.put("replaced", b"old").await;
    stand.put("replaced", b"new").await;
    let before = stand
        .s3
        .head_object()
        .bucket(BUCKET)
        .key("kept/é")
        .send()
        .await
        .unwrap();
    let orphan = stand
        .dir
        .path()
        .join("bodies/ab/ab000000000040008000000000000000");
    std::fs::create_dir_all(orphan.parent().unwrap()).unwrap();
    std::fs::write(&orphan, b"left by a killed process").unwrap();

    let stand = stand.restart().await;
    assert!(!orphan.exists(), "the orphan is still there");
    assert_eq!(stand.body_files(), 2);
    assert_eq!(stand.read("kept/é").await.as_deref(), Some(&b"bytes"[..]));
    assert_eq!(stand.read("replaced").await.as_deref(), Some(&b"new"[..]));
    let after = stand
        .s3
        .head_object()
        .bucket(BUCKET)
        .key("kept/é")
        .send()
        .await
        .unwrap();
    assert_eq!(
        (after.e_tag(), after.last_modified()),
        (before.e_tag(), before.last_modified())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn interrupted_put_leaves_no_file_and_no_event() {
    let stand = Stand::start().await;
    let put = stand
        .s3
        .put_object()
        .bucket(BUCKET)
        .key("half")
        .content_length(1_000_000);
    let url = put.presigned(for_an_hour()).await.unwrap();
    let target = url
        .uri()
        .split_once(&stand.addr.to_string())
        .expect("our address")
        .1;
    let head = format!(
        "PUT {target} HTTP/1.1\r\nHost: {}\r\nContent-Length: 1000000\r\n\r\n",
        stand.addr
    );
    let mut socket = TcpStream::connect(stand.addr).await.unwrap();
    socket.write_all(head.as_bytes()).await.unwrap();
    socket.write_all(&[1; 600_000]).await.unwrap();
    wait_for(|| stand.body_files() == 1, "the body begins").await;
    socket.shutdown().await.unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.unwrap();
    drop(socket);
    wait_for(|| stand.body_files() == 0, "the half body is removed").await;
    assert_eq!(stand.read("half").await, None);
    assert!(stand.events.lock().unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn graceful_stop_lets_running_put_finish() {
    let mut stand = Stand::start().await;
    let put = stand
        .s3
        .put_object()
        .bucket(BUCKET)
        .key("slow")
        .content_length(6);
    let url = put.presigned(for_an_hour()).await.unwrap();
    let target = url
        .uri()
        .split_once(&stand.addr.to_string())
        .expect("our address")
        .1;
    let head = format!(
        "PUT {target} HTTP/1.1\r\nHost: {}\r\nContent-Length: 6\r\n\r\nfir",
        stand.addr
    );
    let mut socket = TcpStream::connect(stand.addr).await.unwrap();
    socket.write_all(head.as_bytes()).await.unwrap();
    wait_for(|| stand.body_files() == 1, "the body begins").await;
    stand.stop.cancel();
    socket.write_all(b"st!").await.unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    stand.server.join_next().await.unwrap().unwrap();
    assert!(
        TcpStream::connect(stand.addr).await.is_err(),
        "the port is closed"
    );
    let stand = stand.restart().await;
    assert_eq!(stand.read("slow").await.as_deref(), Some(&b"first!"[..]));
}

#[tokio::test(flavor = "multi_thread")]
async fn second_server_on_same_folder_or_port_fails_to_start() {
    let stand = Stand::start().await;
    let error = start(options(stand.dir.path().to_owned(), None))
        .await
        .err()
        .expect("the folder is in use");
    assert_eq!(error.to_string(), "cannot open the object index");
    let elsewhere = tempfile::tempdir().unwrap();
    let mut taken = options(elsewhere.path().to_owned(), None);
    taken.bind = stand.addr;
    let error = start(taken).await.err().expect("the port is taken");
    assert_eq!(
        error.to_string(),
        format!("cannot listen on {}", stand.addr)
    );
}

/// Polls what has no event of its own; fails after ten seconds.
pub(super) async fn wait_for(done: impl Fn() -> bool, what: &str) {
    let polls = async {
        let mut tick = tokio::time::interval(Duration::from_millis(2));
        while !done() {
            tick.tick().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), polls)
        .await
        .unwrap_or_else(|_| panic!("in vain: {what}"));
}
