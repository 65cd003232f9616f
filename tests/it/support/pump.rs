//! How a gate transfers the bytes of one connection.

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::watch;

/// How a gate transfers bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// Immediately.
    Pass,
    /// After a delay, in both directions.
    Delay(Duration),
    /// Not at all.
    Block,
    /// To the service, but not back to the client.
    BlockResponses,
}

/// A direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Direction {
    ToService,
    ToClient,
}

/// Counters of the bytes that were blocked.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pumped {
    /// Blocked chunks to the service.
    pub requests_blocked: usize,
    /// Blocked chunks to the client.
    pub responses_blocked: usize,
}

impl Flow {
    fn blocks(self, direction: Direction) -> bool {
        self == Flow::Block || (self == Flow::BlockResponses && direction == Direction::ToClient)
    }
}

/// Transfers the bytes of one connection in both directions, until both have ended or one fails.
pub async fn carry(
    mut client: TcpStream,
    mut server: TcpStream,
    flow: watch::Receiver<Flow>,
    pumped: watch::Sender<Pumped>,
) {
    let (from_client, to_client) = client.split();
    let (from_server, to_server) = server.split();
    let there = pump(
        from_client,
        to_server,
        Direction::ToService,
        flow.clone(),
        &pumped,
    );
    let back = pump(from_server, to_client, Direction::ToClient, flow, &pumped);
    // A closed connection is not an error of the gate.
    let _ = tokio::try_join!(there, back);
}

async fn pump(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    direction: Direction,
    mut flow: watch::Receiver<Flow>,
    pumped: &watch::Sender<Pumped>,
) -> std::io::Result<()> {
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let count = from.read(&mut buffer).await?;
        let now = *flow.borrow();
        if now.blocks(direction) && count > 0 {
            pumped.send_modify(|pumped| match direction {
                Direction::ToService => pumped.requests_blocked += 1,
                Direction::ToClient => pumped.responses_blocked += 1,
            });
            let released = flow.wait_for(|flow| !flow.blocks(direction)).await;
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
