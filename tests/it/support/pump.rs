//! What a gate does with the bytes of one connection.

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::watch;

/// How bytes move through a gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// At once.
    Pass,
    /// Later, each way.
    Delay(Duration),
    /// Not at all.
    Block,
    /// To the service, not back from it.
    BlockResponses,
}

/// Which way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    There,
    Back,
}

/// What has got stuck so far.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pumped {
    /// Pieces on their way to the service.
    pub requests_held: usize,
    /// Pieces on their way back.
    pub answers_held: usize,
}

impl Flow {
    fn holds(self, way: Way) -> bool {
        self == Flow::Block || (self == Flow::BlockResponses && way == Way::Back)
    }
}

/// Carries one connection both ways, until both are done or one is broken.
pub async fn carry(
    mut client: TcpStream,
    mut server: TcpStream,
    flow: watch::Receiver<Flow>,
    pumped: watch::Sender<Pumped>,
) {
    let (from_client, to_client) = client.split();
    let (from_server, to_server) = server.split();
    let there = pump(from_client, to_server, Way::There, flow.clone(), &pumped);
    let back = pump(from_server, to_client, Way::Back, flow, &pumped);
    // A side that hangs up is its own affair.
    let _ = tokio::try_join!(there, back);
}

async fn pump(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    way: Way,
    mut flow: watch::Receiver<Flow>,
    pumped: &watch::Sender<Pumped>,
) -> std::io::Result<()> {
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let count = from.read(&mut buffer).await?;
        let now = *flow.borrow();
        if now.holds(way) && count > 0 {
            pumped.send_modify(|pumped| match way {
                Way::There => pumped.requests_held += 1,
                Way::Back => pumped.answers_held += 1,
            });
            let released = flow.wait_for(|flow| !flow.holds(way)).await;
            released.map_err(std::io::Error::other)?;
        } else if let Flow::Delay(by) = now {
            tokio::time::sleep(by).await;
        }
        if count == 0 {
            return to.shutdown().await;
        }
        to.write_all(&buffer[..count]).await?;
    }
}
