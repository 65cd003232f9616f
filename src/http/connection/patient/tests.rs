//! Clients that hang, at the other end of a pipe.

use std::time::Instant;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};

use super::*;

const TIME: Duration = Duration::from_millis(200);
const TIMES: Times = Times {
    write: TIME,
    answer: TIME,
};

/// Sends a megabyte to whoever reads at the other end.
async fn send(ours: DuplexStream) -> io::Result<()> {
    let mut ours = Patient::new(ours, TIMES);
    ours.write_all(&vec![0; 1 << 20]).await
}

#[tokio::test]
async fn who_reads_nothing_is_cut_off() {
    let (ours, _theirs) = duplex(1024);
    let start = Instant::now();
    let error = send(ours).await.expect_err("it stalls");
    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    assert!(start.elapsed() >= TIME);
}

#[tokio::test]
async fn so_is_who_takes_a_byte_now_and_then() {
    let (ours, mut theirs) = duplex(1024);
    let reading = async {
        let mut taken = 0_u64;
        while theirs.read_u8().await.is_ok() {
            taken += 1;
            tokio::time::sleep(TIME / 20).await;
        }
        taken
    };
    let (sent, taken) = tokio::join!(send(ours), reading);
    let error = sent.expect_err("too slow");
    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    assert!(taken > 1, "it did read: {taken}");
}

#[tokio::test]
async fn who_reads_steadily_may_take_longer_than_that() {
    let (ours, mut theirs) = duplex(1024);
    let reading = async {
        let mut stretch = vec![0; STRETCH];
        for _ in 0..(1 << 20) / STRETCH {
            tokio::time::sleep(TIME / 4).await;
            theirs.read_exact(&mut stretch).await.expect("the next");
        }
    };
    let start = Instant::now();
    let (sent, ()) = tokio::join!(send(ours), reading);
    sent.expect("all of it");
    assert!(start.elapsed() > TIME * 2);
}

#[tokio::test]
async fn who_never_ends_a_request_is_cut_off() {
    let (ours, mut theirs) = duplex(1024);
    let mut ours = Patient::new(ours, TIMES);
    let dripping = async {
        while theirs.write_all(b"x").await.is_ok() {
            tokio::time::sleep(TIME / 20).await;
        }
    };
    let mut request = Vec::new();
    let reading = async {
        let error = ours.read_to_end(&mut request).await;
        drop(ours);
        error
    };
    let (read, ()) = tokio::join!(reading, dripping);
    let error = read.expect_err("it never ends");
    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    assert!(request.len() > 1, "it did send: {}", request.len());
}

#[tokio::test]
async fn requests_that_are_answered_may_follow_each_other_for_ever() {
    let (ours, mut theirs) = duplex(1024);
    let mut ours = Patient::new(ours, TIMES);
    for _ in 0..6 {
        theirs.write_all(b"?").await.expect("a request");
        assert_eq!(ours.read_u8().await.expect("its byte"), b'?');
        tokio::time::sleep(TIME / 4).await;
        ours.write_all(b"!").await.expect("an answer");
        assert_eq!(theirs.read_u8().await.expect("its byte"), b'!');
        tokio::time::sleep(TIME / 4).await;
    }
}

/// A client that is slow to read still gets its response: the connection is not reset under it.
#[tokio::test]
async fn a_closed_connection_stays_open_while_the_client_sends_on() {
    let (ours, mut theirs) = duplex(1024);
    let mut ours = Patient::new(ours, TIMES);
    let connection = ours.connection().clone();
    let closed = tokio::time::timeout(TIME / 20, connection.close()).await;
    closed.expect_err("no dispatcher takes note of it");
    let start = Instant::now();
    let sending = async {
        let sent = theirs.write_all(&vec![0; 2 << 20]).await;
        sent.expect_err("more than is read");
    };
    let closing = async {
        ours.shutdown().await.expect("a shutdown");
        assert!(connection.has_read_enough());
        drop(ours);
    };
    tokio::join!(sending, closing);
    assert!(start.elapsed() >= LINGER, "{:?}", start.elapsed());
}
