//! Clients that stall, at the other end of a pipe.

use std::time::Instant;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};

use super::*;

const TIMEOUT: Duration = Duration::from_millis(200);
const TIMEOUTS: Timeouts = Timeouts {
    write: TIMEOUT,
    answer: TIMEOUT,
};

/// Sends one megabyte to the other end.
async fn send(socket: DuplexStream) -> io::Result<()> {
    let mut socket = TimedSocket::new(socket, TIMEOUTS);
    socket.write_all(&vec![0; 1 << 20]).await
}

#[tokio::test]
async fn client_that_reads_nothing_is_disconnected() {
    let (socket, _client) = duplex(1024);
    let start = Instant::now();
    let error = send(socket).await.expect_err("it stalls");
    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    assert!(start.elapsed() >= TIMEOUT);
}

#[tokio::test]
async fn client_that_reads_single_bytes_slowly_is_disconnected() {
    let (socket, mut client) = duplex(1024);
    let reading = async {
        let mut taken = 0_u64;
        while client.read_u8().await.is_ok() {
            taken += 1;
            tokio::time::sleep(TIMEOUT / 20).await;
        }
        taken
    };
    let (sent, taken) = tokio::join!(send(socket), reading);
    let error = sent.expect_err("too slow");
    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    assert!(taken > 1, "it did read: {taken}");
}

#[tokio::test]
async fn client_that_reads_steadily_may_exceed_the_timeout() {
    let (socket, mut client) = duplex(1024);
    let reading = async {
        let mut buffer = vec![0; MIN_PROGRESS];
        for _ in 0..(1 << 20) / MIN_PROGRESS {
            tokio::time::sleep(TIMEOUT / 4).await;
            client.read_exact(&mut buffer).await.expect("the next");
        }
    };
    let start = Instant::now();
    let (sent, ()) = tokio::join!(send(socket), reading);
    sent.expect("all of it");
    assert!(start.elapsed() > TIMEOUT * 2);
}

#[tokio::test]
async fn client_that_never_completes_its_request_is_disconnected() {
    let (socket, mut client) = duplex(1024);
    let mut socket = TimedSocket::new(socket, TIMEOUTS);
    let dripping = async {
        while client.write_all(b"x").await.is_ok() {
            tokio::time::sleep(TIMEOUT / 20).await;
        }
    };
    let mut request = Vec::new();
    let reading = async {
        let error = socket.read_to_end(&mut request).await;
        drop(socket);
        error
    };
    let (read, ()) = tokio::join!(reading, dripping);
    let error = read.expect_err("it never ends");
    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    assert!(request.len() > 1, "it did send: {}", request.len());
}

#[tokio::test]
async fn connection_with_answered_requests_is_not_limited_in_time() {
    let (socket, mut client) = duplex(1024);
    let mut socket = TimedSocket::new(socket, TIMEOUTS);
    for _ in 0..6 {
        client.write_all(b"?").await.expect("a request");
        assert_eq!(socket.read_u8().await.expect("its byte"), b'?');
        tokio::time::sleep(TIMEOUT / 4).await;
        socket.write_all(b"!").await.expect("an answer");
        assert_eq!(client.read_u8().await.expect("its byte"), b'!');
        tokio::time::sleep(TIMEOUT / 4).await;
    }
}

/// A client that reads slowly still gets its response, because the connection is not reset.
#[tokio::test]
async fn closed_connection_lingers_while_client_sends() {
    let (socket, mut client) = duplex(1024);
    let mut socket = TimedSocket::new(socket, TIMEOUTS);
    let connection = socket.connection().clone();
    let closed = tokio::time::timeout(TIMEOUT / 20, connection.close()).await;
    closed.expect_err("no dispatcher reacts to it");
    let start = Instant::now();
    let sending = async {
        let sent = client.write_all(&vec![0; 2 << 20]).await;
        sent.expect_err("more than is read");
    };
    let closing = async {
        socket.shutdown().await.expect("a shutdown");
        assert!(connection.has_drained_enough());
        drop(socket);
    };
    tokio::join!(sending, closing);
    assert!(start.elapsed() >= LINGER, "{:?}", start.elapsed());
}
