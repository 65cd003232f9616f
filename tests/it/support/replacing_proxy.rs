//! S3 as a lesser store answers: the cloud's own, with words of its answers overwritten on the wire
//! by others of the same length. Requests pass as they are, signatures hold.

use std::net::{Ipv4Addr, SocketAddr};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::{cloud, shared};

/// What is overwritten, whatever its case, and by what.
type Words = &'static [(&'static [u8], &'static [u8])];

/// A store that tells no checksums.
const CHECKSUMS: Words = &[(b"x-amz-checksum-", b"x-not-checksum-")];

/// A door to the cloud that changes its words; it closes with the test.
pub struct ReplacingProxy {
    addr: SocketAddr,
    _stop: DropGuard,
}

impl ReplacingProxy {
    /// A door that hides checksums.
    pub async fn hiding_checksums() -> ReplacingProxy {
        ReplacingProxy::new(CHECKSUMS).await
    }

    /// A door that puts words for others: `[(b"HTTP/1.1 412", b"HTTP/1.1 200")]`.
    pub async fn new(words: Words) -> ReplacingProxy {
        let _inside = shared().enter();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
        let listener = listener.expect("a free port");
        let addr = listener.local_addr().expect("its address");
        let stop = CancellationToken::new();
        let accept = async move {
            while let Ok((client, _)) = listener.accept().await {
                shared().spawn(pass(client, words));
            }
        };
        shared().spawn(stop.clone().run_until_cancelled_owned(accept));
        ReplacingProxy {
            addr,
            _stop: stop.drop_guard(),
        }
    }

    /// Where it listens.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.addr)
    }
}

/// One connection, until either side is done.
async fn pass(client: TcpStream, words: Words) {
    let Ok(server) = TcpStream::connect(cloud::address()).await else {
        return;
    };
    let (mut from_client, to_client) = client.into_split();
    let (from_server, mut to_server) = server.into_split();
    tokio::select! {
        _ = tokio::io::copy(&mut from_client, &mut to_server) => {}
        _ = mask(from_server, to_client, words) => {}
    }
}

/// Copies, with every word overwritten. What may be the beginning of one is held back until it is
/// known; no answer ends in such a beginning.
async fn mask(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    words: Words,
) -> std::io::Result<()> {
    let mut held = Vec::new();
    loop {
        let mut read = [0; 8_192];
        let count = from.read(&mut read).await?;
        if count == 0 {
            return to.write_all(&held).await;
        }
        held.extend_from_slice(&read[..count]);
        for (word, other) in words {
            for at in 0..(held.len() + 1).saturating_sub(word.len()) {
                if held[at..at + word.len()].eq_ignore_ascii_case(word) {
                    held[at..at + word.len()].copy_from_slice(other);
                }
            }
        }
        let begins = |word: &[u8], length: usize| {
            held.len() >= length
                && held[held.len() - length..].eq_ignore_ascii_case(&word[..length])
        };
        let tails = words
            .iter()
            .filter_map(|(word, _)| (1..word.len()).rev().find(|&length| begins(word, length)));
        let rest = held.split_off(held.len() - tails.max().unwrap_or(0));
        to.write_all(&held).await?;
        held = rest;
    }
}
