//! Conditions, races and crashes: a completion takes effect once or not at all.

use std::path::Path;

use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use super::super::for_an_hour;
use super::super::survival::wait_for;
use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn completion_supports_if_match_and_if_none_match() {
    let store = TestStore::start().await;
    let upload = Upload::begin(&store).await;
    let parts = vec![upload.send(1, b"parts".to_vec()).await];
    let gone = upload.complete(parts.clone()).if_match("\"00\"");
    assert_eq!(
        code(gone).await,
        "NoSuchKey",
        "S3 answers 404 when there is nothing to match"
    );
    store.put(KEY, b"there").await;
    let taken = upload.complete(parts.clone()).if_none_match("*");
    assert_eq!(code(taken).await, "PreconditionFailed");
    let other = upload.complete(parts.clone()).if_match("\"00\"");
    assert_eq!(code(other).await, "PreconditionFailed");
    assert_eq!(store.read(KEY).await.as_deref(), Some(&b"there"[..]));
    assert_eq!(store.body_files(), 2, "the object and the part");

    let head = store
        .s3
        .head_object()
        .bucket(BUCKET)
        .key(KEY)
        .send()
        .await
        .unwrap();
    let right = upload.complete(parts).if_match(head.e_tag().unwrap());
    right
        .send()
        .await
        .expect("the upload outlived its refusals");
    assert_eq!(store.read(KEY).await.as_deref(), Some(&b"parts"[..]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_puts_and_completions_have_one_winner() {
    for round in 0..10 {
        let store = TestStore::start().await;
        let mut writers = JoinSet::new();
        let mut uploads = Vec::new();
        for n in 0..5 {
            let upload = Upload::begin(&store).await;
            let part = upload.send(1, format!("upload {n}").into_bytes()).await;
            uploads.push((n, upload.complete(vec![part]).if_none_match("*")));
        }
        for (n, complete) in uploads {
            writers.spawn(async move {
                let done = complete.send().await.map(|_| format!("upload {n}"));
                done.map_err(|error| error.code().map(str::to_owned))
            });
        }
        for n in 0..5 {
            let put = store
                .s3
                .put_object()
                .bucket(BUCKET)
                .key(KEY)
                .if_none_match("*");
            let put = put.body(ByteStream::from(format!("put {n}").into_bytes()));
            writers.spawn(async move {
                let done = put.send().await.map(|_| format!("put {n}"));
                done.map_err(|error| error.code().map(str::to_owned))
            });
        }
        let results = writers.join_all().await;
        let won: Vec<_> = results.iter().flatten().collect();
        assert_eq!(won.len(), 1, "round {round}: {results:?}");
        let lost = Err(Some("PreconditionFailed".to_owned()));
        let lost = results.iter().filter(|result| **result == lost).count();
        assert_eq!(lost, 9, "round {round}: {results:?}");
        assert_eq!(store.read(KEY).await.as_deref(), Some(won[0].as_bytes()));
        assert_eq!(store.events.lock().unwrap().len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_completions_of_one_upload_have_one_winner() {
    let store = TestStore::start().await;
    let upload = Upload::begin(&store).await;
    let part = upload.send(1, vec![1; FIVE_MIB]).await;
    let mut writers = JoinSet::new();
    for _ in 0..10 {
        let complete = upload.complete(vec![part.clone()]);
        writers.spawn(async move {
            let done = complete.send().await.map(|_| ());
            done.map_err(|error| error.code().map(str::to_owned))
        });
    }
    let results = writers.join_all().await;
    let won = results.iter().filter(|result| result.is_ok()).count();
    assert_eq!(won, 1, "{results:?}");
    let lost = Err(Some("NoSuchUpload".to_owned()));
    let lost = results.iter().filter(|result| **result == lost).count();
    assert_eq!(lost, 9, "{results:?}");
    assert_eq!(store.body_files(), 1);
    assert_eq!(store.events.lock().unwrap().len(), 1);
}

/// The folder is copied while the server runs: exactly what a `kill -9` at that moment leaves.
#[tokio::test(flavor = "multi_thread")]
async fn multipart_upload_survives_kill_of_store() {
    let store = TestStore::start().await;
    let upload = Upload::begin(&store).await;
    let first = upload.send(1, vec![1; FIVE_MIB]).await;
    let half = store
        .s3
        .upload_part()
        .bucket(BUCKET)
        .key(KEY)
        .upload_id(&upload.id);
    let half = half.part_number(2).content_length(1_000_000);
    let url = half.presigned(for_an_hour()).await.unwrap();
    let addr = store.addr.to_string();
    let target = url.uri().split_once(&addr).expect("our address").1;
    let head = format!("PUT {target} HTTP/1.1\r\nHost: {addr}\r\nContent-Length: 1000000\r\n\r\n");
    let mut socket = TcpStream::connect(store.addr).await.unwrap();
    socket.write_all(head.as_bytes()).await.unwrap();
    socket.write_all(&[2; 600_000]).await.unwrap();
    wait_for(|| store.body_files() == 2, "the second part begins").await;
    let killed = tempfile::tempdir().unwrap();
    copy(store.dir.path(), killed.path());

    let later = TestStore::start_in(killed).await;
    assert_eq!(
        later.body_files(),
        1,
        "the half part is swept, the whole one is kept"
    );
    let upload = Upload {
        store: &later,
        id: upload.id.clone(),
    };
    let listed = later
        .s3
        .list_parts()
        .bucket(BUCKET)
        .key(KEY)
        .upload_id(&upload.id);
    let listed = listed.send().await.unwrap();
    assert_eq!(listed.parts().len(), 1);
    assert_eq!(listed.parts()[0].e_tag(), first.e_tag());
    let second = upload.send(2, b"again".to_vec()).await;
    upload.finish(vec![first, second]).await;
    let later = later.restart().await;
    let expected = [vec![1; FIVE_MIB], b"again".to_vec()].concat();
    assert!(later.read(KEY).await == Some(expected), "other bytes");
    assert_eq!(later.body_files(), 1);
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to);
        } else {
            std::fs::copy(entry.path(), to).unwrap();
        }
    }
}
