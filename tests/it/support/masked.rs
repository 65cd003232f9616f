//! S3 as a store without checksums answers: the cloud's own, with the names of the checksum
//! headers of its answers overwritten on the wire. Requests pass as they are, signatures hold.

use std::net::{Ipv4Addr, SocketAddr};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::{cloud, shared};

const NAME: &[u8] = b"x-amz-checksum-";
const MASK: &[u8] = b"x-not-checksum-";

/// A door to the cloud that hides checksums; it closes with the test.
pub struct Masked {
    addr: SocketAddr,
    _stop: DropGuard,
}

impl Masked {
    /// A new door.
    pub async fn start() -> Masked {
        let _inside = shared().enter();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
        let listener = listener.expect("a free port");
        let addr = listener.local_addr().expect("its address");
        let stop = CancellationToken::new();
        let accept = async move {
            while let Ok((client, _)) = listener.accept().await {
                shared().spawn(pass(client));
            }
        };
        shared().spawn(stop.clone().run_until_cancelled_owned(accept));
        Masked {
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
async fn pass(client: TcpStream) {
    let Ok(server) = TcpStream::connect(cloud::address()).await else {
        return;
    };
    let (mut from_client, to_client) = client.into_split();
    let (from_server, mut to_server) = server.into_split();
    tokio::select! {
        _ = tokio::io::copy(&mut from_client, &mut to_server) => {}
        _ = mask(from_server, to_client) => {}
    }
}

/// Copies, with every [`NAME`] overwritten. What may be the beginning of one is held back until
/// it is known; no answer ends in such a beginning.
async fn mask(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
) -> std::io::Result<()> {
    let mut held = Vec::new();
    loop {
        let mut read = [0; 8_192];
        let count = from.read(&mut read).await?;
        if count == 0 {
            return to.write_all(&held).await;
        }
        held.extend_from_slice(&read[..count]);
        let mut at = 0;
        while at + NAME.len() <= held.len() {
            if held[at..at + NAME.len()].eq_ignore_ascii_case(NAME) {
                held[at..at + NAME.len()].copy_from_slice(MASK);
            }
            at += 1;
        }
        let tail = (1..NAME.len()).rev().find(|&length| {
            held.len() >= length
                && held[held.len() - length..].eq_ignore_ascii_case(&NAME[..length])
        });
        let rest = held.split_off(held.len() - tail.unwrap_or(0));
        to.write_all(&held).await?;
        held = rest;
    }
}
