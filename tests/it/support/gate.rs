//! A TCP door in front of a service, which a test can shut: the service is then "down" for those
//! who come through the gate, and up for everyone else.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Mutex;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, JoinSet};

use super::shared;

/// An open or shut door to `upstream`.
pub struct Gate {
    upstream: SocketAddr,
    addr: SocketAddr,
    /// Bound and never listening: it keeps the port ours while the gate is shut, and the kernel
    /// refuses those who come.
    _port: TcpSocket,
    open: Mutex<Option<Open>>,
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
        let addr = port.local_addr().expect("the gate's address");
        Gate {
            upstream,
            addr,
            _port: port,
            open: Mutex::new(Some(open(addr, upstream))),
        }
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
    pub async fn cut(&self) {
        let open = self.open.lock().unwrap().take();
        if let Some(open) = open {
            // An error means that the task has ended; the next line shows how.
            let _ = open.shut.send(());
            open.task.await.expect("the gate's task");
        }
    }

    /// Opens the gate again; when this returns, new connections get through.
    pub fn restore(&self) {
        let mut state = self.open.lock().unwrap();
        if state.is_none() {
            *state = Some(open(self.addr, self.upstream));
        }
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

fn open(addr: SocketAddr, upstream: SocketAddr) -> Open {
    let _inside = shared().enter();
    let listener = bind(addr).listen(1024).expect("a listening gate");
    let (shut, ended) = oneshot::channel();
    let task = shared().spawn(pass(listener, upstream, ended));
    Open { shut, task }
}

/// Passes connections through until `ended`, then closes them all.
async fn pass(listener: TcpListener, upstream: SocketAddr, mut ended: oneshot::Receiver<()>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            _ = &mut ended => break,
            Ok((client, _)) = listener.accept() => {
                connections.spawn(carry(client, upstream));
            }
        }
    }
    drop(listener);
    connections.shutdown().await;
}

/// One connection, until either side is done. A broken one is what a gate is for: nothing to say.
async fn carry(mut client: TcpStream, upstream: SocketAddr) {
    if let Ok(mut server) = TcpStream::connect(upstream).await {
        let _ = copy_bidirectional(&mut client, &mut server).await;
    }
}
