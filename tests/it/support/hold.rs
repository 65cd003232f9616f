//! A TCP door that lets callers in, tells that they came, and keeps them waiting until it opens.

use std::net::SocketAddr;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::process::PATIENCE;
use super::shared;

/// A closed door in front of a service.
pub struct Hold {
    addr: SocketAddr,
    open: watch::Sender<bool>,
    came: watch::Receiver<usize>,
}

impl Hold {
    /// A door that keeps everyone waiting.
    pub async fn new(upstream: SocketAddr) -> Hold {
        let (open, is_open) = watch::channel(false);
        let (count, came) = watch::channel(0);
        let _inside = shared().enter();
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        listener
            .set_nonblocking(true)
            .expect("a socket that does not block");
        let listener = TcpListener::from_std(listener).expect("a socket for the runtime");
        let addr = listener.local_addr().expect("its address");
        shared().spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                count.send_modify(|count| *count += 1);
                let mut is_open = is_open.clone();
                shared().spawn(async move {
                    if is_open.wait_for(|open| *open).await.is_err() {
                        return;
                    }
                    let mut server = TcpStream::connect(upstream).await.expect("the service");
                    // A side that hangs up is its own affair.
                    let _ = copy_bidirectional(&mut client, &mut server).await;
                });
            }
        });
        Hold { addr, open, came }
    }

    /// The door as an HTTP endpoint.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// Returns when someone waits at the door.
    pub async fn someone_waits(&mut self) {
        let came = self.came.wait_for(|count| *count > 0);
        let came = tokio::time::timeout(PATIENCE, came).await;
        came.expect("nobody comes").expect("the door's task");
    }

    /// Lets everyone through, now and from now on.
    pub fn release(&self) {
        self.open.send_replace(true);
    }
}
