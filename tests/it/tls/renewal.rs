//! Certificates end: a new one is taken up while the broker runs, and a bad one never.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::pki::Authority;
use super::start;
use crate::support::serving::Place;

/// One answer over a connection that stays open.
async fn ask(stream: &mut (impl tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin)) {
    let request = b"GET /livez HTTP/1.1\r\nhost: broker\r\n\r\n";
    stream.write_all(request).await.expect("a request");
    let mut answer = Vec::new();
    while !answer.ends_with(b"}") {
        answer.push(stream.read_u8().await.expect("an answer"));
    }
    assert!(answer.starts_with(b"HTTP/1.1 200"), "{answer:?}");
}

#[tokio::test]
async fn a_new_certificate_is_taken_up_without_dropping_anybody() {
    let (place, authority) = (Place::new().await, Authority::new());
    let (mut process, address) = start(&place, &authority, place.serve()).await;
    let first = authority.shown(&address).await;
    let mut open = authority.connect(&address).await;
    ask(&mut open).await;

    authority.files("broker", "localhost");
    assert_eq!(
        authority.shown(&address).await,
        first,
        "nobody has asked yet"
    );
    process.signal("HUP");
    process.says("the certificate was read anew").await;
    let second = authority.shown(&address).await;
    assert_ne!(second, first);
    // Who was connected still is.
    ask(&mut open).await;
    process.stop("TERM").await.ok();
}

#[tokio::test]
async fn a_pair_that_is_none_is_left_alone() {
    let (place, authority) = (Place::new().await, Authority::new());
    let (mut process, address) = start(&place, &authority, place.serve()).await;
    let first = authority.shown(&address).await;

    let (certificate, key) = authority.files("broker", "localhost");
    let (_, other) = authority.files("other", "localhost");
    let good = std::fs::read(&key).expect("a key");
    // Another certificate's key; half a file; no file.
    std::fs::copy(&other, &key).expect("another key");
    process.signal("HUP");
    process
        .says_again("the certificate stays the old one", 1)
        .await;
    std::fs::write(&key, &good[..good.len() / 2]).expect("half a key");
    process.signal("HUP");
    process
        .says_again("the certificate stays the old one", 2)
        .await;
    std::fs::remove_file(&certificate).expect("no certificate");
    process.signal("HUP");
    let said = process
        .says_again("the certificate stays the old one", 3)
        .await;
    assert!(said.contains("BROKER_TLS_CERT"), "{said}");
    assert_eq!(authority.shown(&address).await, first);

    authority.files("broker", "localhost");
    process.signal("HUP");
    process.says("the certificate was read anew").await;
    assert_ne!(authority.shown(&address).await, first);
    let log = process.stop("TERM").await.ok().err;
    assert!(!log.contains("PRIVATE KEY"), "{log}");
}
