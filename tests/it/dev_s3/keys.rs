//! Any UTF-8 of up to 1,024 bytes is a key, and none is a path.

use super::{BUCKET, Stand, for_an_hour, refusal};

#[tokio::test(flavor = "multi_thread")]
async fn any_utf8_key_is_stored_and_never_used_as_file_path() {
    let stand = Stand::start().await;
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
        let url = stand
            .s3
            .put_object()
            .bucket(BUCKET)
            .key(key)
            .presigned(for_an_hour())
            .await
            .unwrap();
        let response = raw(&stand, "PUT", url.uri(), key.as_bytes()).await;
        assert_eq!(response.0, 200, "PUT {key:?}: {}", response.1);
    }
    for key in &keys {
        let got = stand
            .s3
            .get_object()
            .bucket(BUCKET)
            .key(key)
            .presigned(for_an_hour())
            .await
            .unwrap();
        let response = raw(&stand, "GET", got.uri(), b"").await;
        assert_eq!((response.0, response.1.as_str()), (200, key.as_str()));
    }
    let listed = stand
        .s3
        .list_objects_v2()
        .bucket(BUCKET)
        .send()
        .await
        .unwrap();
    assert_eq!(listed.contents().len(), keys.len());
    let outside: Vec<_> = std::fs::read_dir(stand.dir.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(
        outside.len(),
        2,
        "only the index and the bodies: {outside:?}"
    );

    let long = stand
        .s3
        .put_object()
        .bucket(BUCKET)
        .key("k".repeat(1025))
        .presigned(for_an_hour())
        .await
        .unwrap();
    let response = stand.signed(&long).body("x").send().await.unwrap();
    assert_eq!(refusal(response).await, (400, "KeyTooLongError".to_owned()));
}

/// reqwest would resolve `..` in a URL before it sends it; a client that does not must work too.
async fn raw(stand: &Stand, method: &str, uri: &str, body: &[u8]) -> (u16, String) {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let target = uri
        .strip_prefix(&format!("http://{}", stand.addr))
        .expect("our address");
    let head = format!(
        "{method} {target} HTTP/1.1\r\nHost: {}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        stand.addr,
        body.len()
    );
    let mut socket = tokio::net::TcpStream::connect(stand.addr).await.unwrap();
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
