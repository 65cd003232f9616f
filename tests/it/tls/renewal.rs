//! Renewal of certificates: a new certificate is loaded at run time, and a bad one is rejected.

use chrono::{TimeDelta, Utc};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::pki::Authority;
use super::start;
use crate::support::serving::Place;

/// Sends a request over a connection that stays open, and reads the answer.
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
async fn new_certificate_is_loaded_on_sighup_without_dropping_connections() {
    let (place, authority) = (Place::new().await, Authority::new());
    let (mut process, address) = start(&place, &authority, place.serve()).await;
    let first = authority.shown(&address).await;
    let mut open = authority.connect(&address).await;
    ask(&mut open).await;

    authority.files("broker", "localhost");
    assert_eq!(authority.shown(&address).await, first, "before the SIGHUP");
    process.signal("HUP");
    process.wait_for_log("reloaded the certificate").await;
    let second = authority.shown(&address).await;
    assert_ne!(second, first);
    // The open connection still works.
    ask(&mut open).await;
    process.stop("TERM").await.ok();
}

#[tokio::test]
async fn invalid_certificate_or_key_on_sighup_keeps_the_old_certificate() {
    let (place, authority) = (Place::new().await, Authority::new());
    let (mut process, address) = start(&place, &authority, place.serve()).await;
    let first = authority.shown(&address).await;

    let (certificate, key) = authority.files("broker", "localhost");
    let (_, other) = authority.files("other", "localhost");
    let good = std::fs::read(&key).expect("a key");
    // The key of another certificate, half of a key file, and a missing certificate file.
    std::fs::copy(&other, &key).expect("another key");
    process.signal("HUP");
    process
        .wait_for_nth_log("keeping the old certificate", 1)
        .await;
    std::fs::write(&key, &good[..good.len() / 2]).expect("half a key");
    process.signal("HUP");
    process
        .wait_for_nth_log("keeping the old certificate", 2)
        .await;
    std::fs::remove_file(&certificate).expect("no certificate");
    process.signal("HUP");
    let said = process
        .wait_for_nth_log("keeping the old certificate", 3)
        .await;
    assert!(said.contains("BROKER_TLS_CERT"), "{said}");
    assert_eq!(authority.shown(&address).await, first);

    authority.files("broker", "localhost");
    process.signal("HUP");
    process.wait_for_log("reloaded the certificate").await;
    assert_ne!(authority.shown(&address).await, first);
    let log = process.stop("TERM").await.ok().err;
    assert!(!log.contains("PRIVATE KEY"), "{log}");
}

/// An expired certificate is used all the same: clients say why they reject it, and the log says
/// what to do.
#[tokio::test]
async fn expired_certificate_is_logged_as_a_warning_at_start_and_on_sighup() {
    let (place, authority) = (Place::new().await, Authority::new());
    let (now, hour) = (Utc::now(), TimeDelta::hours(1));
    let (certificate, key) = authority.files_for("old", now - hour * 2, now - hour);
    let run = place.serve().set("BROKER_TLS_CERT", certificate.display());
    let mut process = run.set("BROKER_TLS_KEY", key.display()).spawn();
    process.ready().await;
    let log = process.log();
    let said = log.lines().find(|line| line.contains("has expired at"));
    let said = said.unwrap_or_else(|| panic!("no warning in {log}"));
    for word in ["WARN", "BROKER_TLS_CERT", "old.pem", "SIGHUP"] {
        assert!(said.contains(word), "no {word} in {said}");
    }

    authority.files_for("old", now - hour, now + TimeDelta::days(3));
    process.signal("HUP");
    process.wait_for_log("in 2 days: renew it").await;
    authority.files("old", "localhost");
    process.signal("HUP");
    process
        .wait_for_nth_log("reloaded the certificate", 2)
        .await;
    authority.files_for("old", now - hour * 2, now - hour);
    process.signal("HUP");
    process.wait_for_nth_log("has expired at", 2).await;
    let log = process.stop("TERM").await.ok().err;
    assert_eq!(
        log.matches("renew it, then send SIGHUP").count(),
        3,
        "{log}"
    );
}

/// The units of systemd send it for a reload.
#[tokio::test]
async fn sighup_without_certificate_ends_neither_broker_nor_worker() {
    let place = Place::new().await;
    let worker = place.run(&["worker"]);
    for run in [
        place.serve(),
        worker.set("BROKER_WORKER_BIND", "127.0.0.1:0"),
    ] {
        let mut process = run.spawn();
        process.ready().await;
        process.signal("HUP");
        process.wait_for_log("SIGHUP: nothing is reloaded").await;
        process.stop("TERM").await.ok();
    }
}
