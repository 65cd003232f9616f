//! Stops, crashes and lost connections: an object is stored completely or not at all.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use upload_broker::dev::s3::start;

use super::{BUCKET, TestStore, for_an_hour, options};

#[tokio::test(flavor = "multi_thread")]
async fn restart_keeps_objects_and_deletes_orphaned_files() {
    let store = TestStore::start().await;
    store.put("kept/é", b"bytes").await;
    store.put("replaced", b"old").await;
    store.put("replaced", b"new").await;
    let before = store
        .s3
        .head_object()
        .bucket(BUCKET)
        .key("kept/é")
        .send()
        .await
        .unwrap();
    let orphan = store
        .dir
        .path()
        .join("bodies/ab/ab000000000040008000000000000000");
    std::fs::create_dir_all(orphan.parent().unwrap()).unwrap();
    std::fs::write(&orphan, b"left by a killed process").unwrap();

    let store = store.restart().await;
    assert!(!orphan.exists(), "the orphan is still there");
    assert_eq!(store.body_files(), 2);
    assert_eq!(store.read("kept/é").await.as_deref(), Some(&b"bytes"[..]));
    assert_eq!(store.read("replaced").await.as_deref(), Some(&b"new"[..]));
    let after = store
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
    let store = TestStore::start().await;
    let put = store
        .s3
        .put_object()
        .bucket(BUCKET)
        .key("half")
        .content_length(1_000_000);
    let url = put.presigned(for_an_hour()).await.unwrap();
    let target = url
        .uri()
        .split_once(&store.addr.to_string())
        .expect("our address")
        .1;
    let head = format!(
        "PUT {target} HTTP/1.1\r\nHost: {}\r\nContent-Length: 1000000\r\n\r\n",
        store.addr
    );
    let mut socket = TcpStream::connect(store.addr).await.unwrap();
    socket.write_all(head.as_bytes()).await.unwrap();
    socket.write_all(&[1; 600_000]).await.unwrap();
    wait_for(|| store.body_files() == 1, "the body begins").await;
    socket.shutdown().await.unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.unwrap();
    drop(socket);
    wait_for(|| store.body_files() == 0, "the half body is removed").await;
    assert_eq!(store.read("half").await, None);
    assert!(store.events.lock().unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn graceful_stop_lets_running_put_finish() {
    let mut store = TestStore::start().await;
    let put = store
        .s3
        .put_object()
        .bucket(BUCKET)
        .key("slow")
        .content_length(6);
    let url = put.presigned(for_an_hour()).await.unwrap();
    let target = url
        .uri()
        .split_once(&store.addr.to_string())
        .expect("our address")
        .1;
    let head = format!(
        "PUT {target} HTTP/1.1\r\nHost: {}\r\nContent-Length: 6\r\n\r\nfir",
        store.addr
    );
    let mut socket = TcpStream::connect(store.addr).await.unwrap();
    socket.write_all(head.as_bytes()).await.unwrap();
    wait_for(|| store.body_files() == 1, "the body begins").await;
    store.stop.cancel();
    socket.write_all(b"st!").await.unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    store.server.join_next().await.unwrap().unwrap();
    assert!(
        TcpStream::connect(store.addr).await.is_err(),
        "the port is closed"
    );
    let store = store.restart().await;
    assert_eq!(store.read("slow").await.as_deref(), Some(&b"first!"[..]));
}

#[tokio::test(flavor = "multi_thread")]
async fn second_server_on_same_folder_or_port_fails_to_start() {
    let store = TestStore::start().await;
    let error = start(options(store.dir.path().to_owned(), None))
        .await
        .err()
        .expect("the folder is in use");
    assert_eq!(error.to_string(), "cannot open the object index");
    let elsewhere = tempfile::tempdir().unwrap();
    let mut taken = options(elsewhere.path().to_owned(), None);
    taken.bind = store.addr;
    let error = start(taken).await.err().expect("the port is taken");
    assert_eq!(
        error.to_string(),
        format!("cannot listen on {}", store.addr)
    );
}

/// Polls a condition that has no event to wait for; fails after ten seconds.
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
