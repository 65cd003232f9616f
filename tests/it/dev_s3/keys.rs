//! Any UTF-8 text of up to 1,024 bytes is a key, and no key is a file path.

use super::{BUCKET, TestStore, for_an_hour, refusal};

#[tokio::test(flavor = "multi_thread")]
async fn any_utf8_key_is_stored_and_never_used_as_file_path() {
    let store = TestStore::start().await;
    let keys = [
        "k".repeat(1024),
        "é".repeat(512),
        "a".to_owned(),
        "a/b".to_owned(),
        "a/".to_owned(),
        "x/../../../etc/passwd".to_owned(),
        "index.redb".to_owned(),
        "con\u{7f}trol".to_owned(),
        "q?x=1&y=#z".to_owned(),
        "100% +sure".to_owned(),
        "日本語/😀.txt".to_owned(),
    ];
    for key in &keys {
        let url = store
            .s3
            .put_object()
            .bucket(BUCKET)
            .key(key)
            .presigned(for_an_hour())
            .await
            .unwrap();
        let response = raw(&store, "PUT", url.uri(), key.as_bytes()).await;
        assert_eq!(response.0, 200, "PUT {key:?}: {}", response.1);
    }
    for key in &keys {
        let got = store
            .s3
            .get_object()
            .bucket(BUCKET)
            .key(key)
            .presigned(for_an_hour())
            .await
            .unwrap();
        let response = raw(&store, "GET", got.uri(), b"").await;
        assert_eq!((response.0, response.1.as_str()), (200, key.as_str()));
    }
    let listed = store
        .s3
        .list_objects_v2()
        .bucket(BUCKET)
        .send()
        .await
        .unwrap();
    assert_eq!(listed.contents().len(), keys.len());
    let outside: Vec<_> = std::fs::read_dir(store.dir.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(
        outside.len(),
        2,
        "only the index and the bodies: {outside:?}"
    );

    let long = store
        .s3
        .put_object()
        .bucket(BUCKET)
        .key("k".repeat(1025))
        .presigned(for_an_hour())
        .await
        .unwrap();
    let response = store.signed(&long).body("x").send().await.unwrap();
    assert_eq!(refusal(response).await, (400, "KeyTooLongError".to_owned()));
}

/// Sends a request without reqwest, which would resolve `..` in a URL. Clients that do not resolve
/// it must work too.
async fn raw(store: &TestStore, method: &str, uri: &str, body: &[u8]) -> (u16, String) {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let target = uri
        .strip_prefix(&format!("http://{}", store.addr))
        .expect("our address");
    let head = format!(
        "{method} {target} HTTP/1.1\r\nHost: {}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        store.addr,
        body.len()
    );
    let mut socket = tokio::net::TcpStream::connect(store.addr).await.unwrap();
    socket
        .write_all(&[head.as_bytes(), body].concat())
        .await
        .unwrap();
    let mut answer = Vec::new();
    socket.read_to_end(&mut answer).await.unwrap();
    let answer = String::from_utf8(answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").expect("an HTTP answer");
    (
        head.split(' ').nth(1).unwrap().parse().unwrap(),
        body.to_owned(),
    )
}
