//! A TCP proxy in front of a service, which a test can close, slow down or block. The service is then
//! unavailable for the clients of the gate, and available for all others.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Mutex;
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{oneshot, watch};
use tokio::task::{JoinHandle, JoinSet};

use super::process::TIMEOUT;
use super::pump::{Flow, Pumped, carry};
use super::shared;

/// A proxy to `upstream` that is open or closed.
pub struct Gate {
    upstream: SocketAddr,
    addr: SocketAddr,
    /// A socket that is bound and never listens. It reserves the port while the gate is closed, and the kernel
    /// refuses connections.
    _port: TcpSocket,
    open: Mutex<Option<Open>>,
    flow: watch::Sender<Flow>,
    pumped: watch::Sender<Pumped>,
}

/// The task of an open gate. It ends when `shut` is sent or dropped.
struct Open {
    shut: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Gate {
    /// Starts an open gate on its own port.
    pub fn new(upstream: SocketAddr) -> Gate {
        let port = bind((Ipv4Addr::LOCALHOST, 0).into());
        let gate = Gate {
            upstream,
            addr: port.local_addr().expect("the gate's address"),
            _port: port,
            open: Mutex::new(None),
            flow: watch::Sender::new(Flow::Pass),
            pumped: watch::Sender::new(Pumped::default()),
        };
        gate.restore();
        gate
    }

    /// Returns the address that clients connect to. It never changes.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Returns the HTTP endpoint of the gate.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// Closes the gate: when this returns, every connection is closed, and new connections are refused.
    /// Blocked bytes are lost.
    pub async fn close(&self) {
        let open = self.open.lock().unwrap().take();
        if let Some(open) = open {
            // An error means that the task has ended. The next line reports how.
            let _ = open.shut.send(());
            open.task.await.expect("the gate's task");
        }
    }

    /// Closes every connection. New connections are accepted.
    pub async fn drop_connections(&self) {
        self.close().await;
        self.restore();
    }

    /// Blocks the gate: connections are accepted and stay open, and no bytes are transferred.
    pub fn block(&self) {
        self.flow.send_replace(Flow::Block);
    }

    /// Blocks responses: requests reach the service, and its responses are not transferred.
    pub fn block_responses(&self) {
        self.flow.send_replace(Flow::BlockResponses);
    }

    /// Delays the bytes of both directions.
    pub fn delay(&self, by: Duration) {
        self.flow.send_replace(Flow::Delay(by));
    }

    /// Opens the gate and transfers blocked bytes. When this returns, new connections are accepted.
    pub fn restore(&self) {
        self.flow.send_replace(Flow::Pass);
        let mut state = self.open.lock().unwrap();
        if state.is_none() {
            *state = Some(self.open());
        }
    }

    /// Waits until a request arrives at the blocked gate.
    pub async fn request_waits(&self) {
        self.wait("a request", |pumped| pumped.requests_blocked)
            .await;
    }

    /// Waits until a response arrives at a gate that blocks responses.
    pub async fn response_waits(&self) {
        self.wait("a response", |pumped| pumped.responses_blocked)
            .await;
    }

    async fn wait(&self, what: &str, held: fn(&Pumped) -> usize) {
        let mut pumped = self.pumped.subscribe();
        let came = pumped.wait_for(|pumped| held(pumped) > 0);
        let came = tokio::time::timeout(TIMEOUT, came).await;
        let came = came.unwrap_or_else(|_| panic!("{what} does not arrive at the gate"));
        came.expect("the gate's own channel");
    }

    fn open(&self) -> Open {
        let _inside = shared().enter();
        let listener = bind(self.addr).listen(1024).expect("a listening gate");
        let (shut, ended) = oneshot::channel();
        let (flow, pumped) = (self.flow.subscribe(), self.pumped.clone());
        let task = shared().spawn(pass(listener, self.upstream, flow, pumped, ended));
        Open { shut, task }
    }
}

/// Binds a socket to `addr`, which shares the port with the other sockets of the gate.
fn bind(addr: SocketAddr) -> TcpSocket {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_reuseport(true).expect("a port that is shared");
    socket.set_reuseaddr(true).expect("a port used before");
    socket.bind(addr).expect("the gate's port");
    socket
}

/// Forwards connections until `ended`, then closes them all. Broken connections are expected, so their errors
/// are ignored.
async fn pass(
    listener: TcpListener,
    upstream: SocketAddr,
    flow: watch::Receiver<Flow>,
    pumped: watch::Sender<Pumped>,
    mut ended: oneshot::Receiver<()>,
) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            _ = &mut ended => break,
            Ok((client, _)) = listener.accept() => {
                let (flow, pumped) = (flow.clone(), pumped.clone());
                connections.spawn(async move {
                    if let Ok(server) = TcpStream::connect(upstream).await {
                        carry(client, server, flow, pumped).await;
                    }
                });
            }
            // Removes connections that have ended.
            Some(_) = connections.join_next() => {}
        }
    }
    drop(listener);
    connections.shutdown().await;
}
