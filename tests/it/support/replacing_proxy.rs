//! A proxy in front of S3 that replaces text in responses by other text of the same length. Requests are
//! forwarded unchanged, so their signatures stay valid.

use std::net::{Ipv4Addr, SocketAddr};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::{cloud, shared};

/// Pairs of the text to replace, in upper or lower case, and its replacement.
type Replacements = &'static [(&'static [u8], &'static [u8])];

/// Hides the checksum headers of responses.
const CHECKSUMS: Replacements = &[(b"x-amz-checksum-", b"x-not-checksum-")];

/// The proxy. It stops when this value is dropped.
pub struct ReplacingProxy {
    addr: SocketAddr,
    _stop: DropGuard,
}

impl ReplacingProxy {
    /// Starts a proxy that hides checksums.
    pub async fn hiding_checksums() -> ReplacingProxy {
        ReplacingProxy::new(CHECKSUMS).await
    }

    /// Starts a proxy with replacements such as `[(b"HTTP/1.1 412", b"HTTP/1.1 200")]`.
    pub async fn new(replacements: Replacements) -> ReplacingProxy {
        let _inside = shared().enter();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
        let listener = listener.expect("a free port");
        let addr = listener.local_addr().expect("its address");
        let stop = CancellationToken::new();
        let accept = async move {
            while let Ok((client, _)) = listener.accept().await {
                shared().spawn(pass(client, replacements));
            }
        };
        shared().spawn(stop.clone().run_until_cancelled_owned(accept));
        ReplacingProxy {
            addr,
            _stop: stop.drop_guard(),
        }
    }

    /// Returns the HTTP endpoint of the proxy.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.addr)
    }
}

/// Serves one connection, until either side closes it.
async fn pass(client: TcpStream, replacements: Replacements) {
    let Ok(server) = TcpStream::connect(cloud::address()).await else {
        return;
    };
    let (mut from_client, to_client) = client.into_split();
    let (from_server, mut to_server) = server.into_split();
    tokio::select! {
        _ = tokio::io::copy(&mut from_client, &mut to_server) => {}
        _ = replace(from_server, to_client, replacements) => {}
    }
}

/// Copies bytes and replaces text. Bytes that may be the beginning of a text are held back until the next bytes
/// arrive; no response ends with such a beginning.
async fn replace(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    replacements: Replacements,
) -> std::io::Result<()> {
    let mut held = Vec::new();
    loop {
        let mut read = [0; 8_192];
        let count = from.read(&mut read).await?;
        if count == 0 {
            return to.write_all(&held).await;
        }
        held.extend_from_slice(&read[..count]);
        for (word, other) in replacements {
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
        let tails = replacements
            .iter()
            .filter_map(|(word, _)| (1..word.len()).rev().find(|&length| begins(word, length)));
        let rest = held.split_off(held.len() - tails.max().unwrap_or(0));
        to.write_all(&held).await?;
        held = rest;
    }
}
