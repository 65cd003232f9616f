//! A TCP proxy that holds one kind of request and forwards all others. The service receives a held request
//! only after its release, which may be long after its sender has given up.

use std::net::SocketAddr;

use tokio::io::{AsyncWriteExt as _, copy, copy_bidirectional, sink};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::faulty_proxy::head_of;
use super::process::TIMEOUT;
use super::shared;

/// A proxy on its own port.
pub struct HoldingProxy {
    addr: SocketAddr,
    holds: watch::Sender<bool>,
    held: watch::Sender<Vec<String>>,
    passed: watch::Sender<usize>,
}

impl HoldingProxy {
    /// Starts a proxy to `upstream` that holds the requests whose head contains `text`. It forwards one request
    /// per connection.
    pub fn new(upstream: SocketAddr, text: &'static str) -> HoldingProxy {
        let holds = watch::Sender::new(true);
        let (held, passed) = (watch::Sender::new(Vec::new()), watch::Sender::new(0));
        let _inside = shared().enter();
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let addr = listener.local_addr().expect("its address");
        listener.set_nonblocking(true).expect("a quick socket");
        let listener = TcpListener::from_std(listener).expect("a socket for the runtime");
        let proxy = HoldingProxy {
            addr,
            holds,
            held,
            passed,
        };
        let (holds, held, passed) = (
            proxy.holds.clone(),
            proxy.held.clone(),
            proxy.passed.clone(),
        );
        shared().spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (holds, held, passed) = (holds.subscribe(), held.clone(), passed.clone());
                shared().spawn(carry(client, upstream, text, holds, held, passed));
            }
        });
        proxy
    }

    /// Returns the HTTP endpoint of the proxy.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// Waits until a request is held, and returns its head.
    pub async fn request_waits(&self) -> String {
        let mut held = self.held.subscribe();
        let came = held.wait_for(|held| !held.is_empty());
        let came = tokio::time::timeout(TIMEOUT, came).await;
        let came = came.expect("a request that is held");
        came.expect("the channel of the proxy")[0].clone()
    }

    /// Releases the held requests and holds no others. Returns when the held requests have got a response, even
    /// if their senders do not wait for it.
    pub async fn release(&self) {
        let held = self.held.borrow().len();
        self.holds.send_replace(false);
        let mut passed = self.passed.subscribe();
        let all = passed.wait_for(|passed| *passed >= held);
        let all = tokio::time::timeout(TIMEOUT, all).await;
        all.expect("a response to each held request")
            .expect("the channel of the proxy");
    }
}

/// Serves one connection. Broken connections are expected, so their errors are ignored.
async fn carry(
    mut client: TcpStream,
    upstream: SocketAddr,
    matching: &str,
    mut holds: watch::Receiver<bool>,
    held: watch::Sender<Vec<String>>,
    passed: watch::Sender<usize>,
) {
    let Some(mut head) = head_of(&mut client).await else {
        return;
    };
    let end = head.len() - 2;
    head.splice(end.., *b"connection: close\r\n\r\n");
    let text = String::from_utf8_lossy(&head).into_owned();
    let is_held = *holds.borrow_and_update() && text.contains(matching);
    if is_held {
        held.send_modify(|held| held.push(text));
        if holds.wait_for(|holds| !holds).await.is_err() {
            return;
        }
    }
    let mut server = TcpStream::connect(upstream).await.expect("the service");
    if server.write_all(&head).await.is_err() {
        return;
    }
    if is_held {
        // The sender may have closed the connection. The response of the service is read nevertheless.
        let _ = copy(&mut server, &mut client).await;
        let _ = copy(&mut server, &mut sink()).await;
        passed.send_modify(|passed| *passed += 1);
        let _ = client.shutdown().await;
    } else {
        let _ = copy_bidirectional(&mut client, &mut server).await;
    }
}
