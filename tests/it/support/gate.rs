//! A TCP door in front of a service, which a test can shut, slow down or hold: the service is then
//! "down" for those who come through the gate, and up for everyone else.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Mutex;
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{oneshot, watch};
use tokio::task::{JoinHandle, JoinSet};

use super::process::TIMEOUT;
use super::pump::{Flow, Pumped, carry};
use super::shared;

/// An open or shut door to `upstream`.
pub struct Gate {
    upstream: SocketAddr,
    addr: SocketAddr,
    /// Bound and never listening: it keeps the port ours while the gate is shut, and the kernel
    /// refuses those who come.
    _port: TcpSocket,
    open: Mutex<Option<Open>>,
    flow: watch::Sender<Flow>,
    pumped: watch::Sender<Pumped>,
}

/// A gate that lets through; ends when `shut` is sent or dropped.
struct Open {
    shut: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Gate {
    /// An open gate on a port of its own.
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

    /// Where clients come in; the same for the gate's whole life.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The gate as an HTTP endpoint.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// Shuts the gate: when this returns, every connection is closed and new ones are refused.
    /// What was held is lost.
    pub async fn close(&self) {
        let open = self.open.lock().unwrap().take();
        if let Some(open) = open {
            // An error means that the task has ended; the next line shows how.
            let _ = open.shut.send(());
            open.task.await.expect("the gate's task");
        }
    }

    /// Closes every connection. Whoever comes back gets through.
    pub async fn drop_connections(&self) {
        self.close().await;
        self.restore();
    }

    /// Half-open: connections are taken and stay up, and not a byte moves.
    pub fn block(&self) {
        self.flow.send_replace(Flow::Block);
    }

    /// Requests reach the service, and its answers get stuck.
    pub fn block_responses(&self) {
        self.flow.send_replace(Flow::BlockResponses);
    }

    /// Everything takes this much longer, each way.
    pub fn delay(&self, by: Duration) {
        self.flow.send_replace(Flow::Delay(by));
    }

    /// As new: what was held goes on its way; when this returns, new connections get through.
    pub fn restore(&self) {
        self.flow.send_replace(Flow::Pass);
        let mut state = self.open.lock().unwrap();
        if state.is_none() {
            *state = Some(self.open());
        }
    }

    /// Returns when a request waits at a gate that holds.
    pub async fn request_waits(&self) {
        self.wait("a request", |pumped| pumped.requests_held).await;
    }

    /// Returns when an answer waits at a gate that holds answers.
    pub async fn response_waits(&self) {
        self.wait("an answer", |pumped| pumped.answers_held).await;
    }

    async fn wait(&self, what: &str, held: fn(&Pumped) -> usize) {
        let mut pumped = self.pumped.subscribe();
        let came = pumped.wait_for(|pumped| held(pumped) > 0);
        let came = tokio::time::timeout(TIMEOUT, came).await;
        let came = came.unwrap_or_else(|_| panic!("{what} never comes to the gate"));
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

/// A socket on `addr` that shares its port with the gate's other ones.
fn bind(addr: SocketAddr) -> TcpSocket {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_reuseport(true).expect("a port that is shared");
    socket.set_reuseaddr(true).expect("a port used before");
    socket.bind(addr).expect("the gate's port");
    socket
}

/// Passes connections through until `ended`, then closes them all. A broken connection is what a
/// gate is for: nothing to say.
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
            // Those that are done need not be kept.
            Some(_) = connections.join_next() => {}
        }
    }
    drop(listener);
    connections.shutdown().await;
}
