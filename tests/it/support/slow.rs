//! A long way to a service: whatever passes takes a while. It makes the moments between two
//! statements long enough for others to come in between.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::shared;

/// A door to a service; it closes with the test.
pub struct Slow {
    addr: SocketAddr,
    _stop: DropGuard,
}

impl Slow {
    /// A door to `upstream` behind which every answer takes `delay` longer.
    pub async fn start(upstream: SocketAddr, delay: Duration) -> Slow {
        let _inside = shared().enter();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
        let listener = listener.expect("a free port");
        let addr = listener.local_addr().expect("its address");
        let stop = CancellationToken::new();
        let accept = async move {
            while let Ok((client, _)) = listener.accept().await {
                shared().spawn(pass(client, upstream, delay));
            }
        };
        shared().spawn(stop.clone().run_until_cancelled_owned(accept));
        Slow {
            addr,
            _stop: stop.drop_guard(),
        }
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }
}

/// One connection, until either side is done.
async fn pass(client: TcpStream, upstream: SocketAddr, delay: Duration) {
    let Ok(server) = TcpStream::connect(upstream).await else {
        return;
    };
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    tokio::select! {
        _ = carry(from_client, to_server, Duration::ZERO) => {}
        _ = carry(from_server, to_client, delay) => {}
    }
}

async fn carry(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    delay: Duration,
) -> std::io::Result<()> {
    let mut bytes = [0; 8_192];
    loop {
        let count = from.read(&mut bytes).await?;
        if count == 0 {
            return Ok(());
        }
        tokio::time::sleep(delay * (uuid::Uuid::new_v4().as_u128() % 8) as u32 / 4).await;
        to.write_all(&bytes[..count]).await?;
    }
}
