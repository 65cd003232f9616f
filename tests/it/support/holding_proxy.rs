//! A TCP door that holds one kind of request and lets all others through: the service has not heard
//! of it yet, and may hear of it long after its sender has given up.

use std::net::SocketAddr;

use tokio::io::{AsyncWriteExt as _, copy, copy_bidirectional, sink};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::faulty_proxy::head_of;
use super::process::TIMEOUT;
use super::shared;

/// A door on a port of its own.
pub struct HoldingProxy {
    addr: SocketAddr,
    holds: watch::Sender<bool>,
    held: watch::Sender<Vec<String>>,
    passed: watch::Sender<usize>,
}

impl HoldingProxy {
    /// A door to `upstream` that holds the requests whose head contains `words`. One request a
    /// connection.
    pub fn new(upstream: SocketAddr, words: &'static str) -> HoldingProxy {
        let holds = watch::Sender::new(true);
        let (held, passed) = (watch::Sender::new(Vec::new()), watch::Sender::new(0));
        let _inside = shared().enter();
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let addr = listener.local_addr().expect("its address");
        listener.set_nonblocking(true).expect("a quick socket");
        let listener = TcpListener::from_std(listener).expect("a socket for the runtime");
        let halt = HoldingProxy {
            addr,
            holds,
            held,
            passed,
        };
        let (holds, held, passed) = (halt.holds.clone(), halt.held.clone(), halt.passed.clone());
        shared().spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (holds, held, passed) = (holds.subscribe(), held.clone(), passed.clone());
                shared().spawn(carry(client, upstream, words, holds, held, passed));
            }
        });
        halt
    }

    /// The door as an HTTP endpoint.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// Returns the head of a request that is held, once there is one.
    pub async fn request_waits(&self) -> String {
        let mut held = self.held.subscribe();
        let came = held.wait_for(|held| !held.is_empty());
        let came = tokio::time::timeout(TIMEOUT, came).await;
        let came = came.expect("no request comes that is to be held");
        came.expect("the proxy's own channel")[0].clone()
    }

    /// Holds no request any more. Returns when those that were held have been answered, whether
    /// their senders wait for that or not.
    pub async fn release(&self) {
        let held = self.held.borrow().len();
        self.holds.send_replace(false);
        let mut passed = self.passed.subscribe();
        let all = passed.wait_for(|passed| *passed >= held);
        let all = tokio::time::timeout(TIMEOUT, all).await;
        all.expect("no answer to what was held")
            .expect("the proxy's own channel");
    }
}

/// A broken connection is what a door is for: nothing to say.
async fn carry(
    mut client: TcpStream,
    upstream: SocketAddr,
    words: &str,
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
    let is_held = *holds.borrow_and_update() && text.contains(words);
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
        // The sender may be gone: the service answers all the same.
        let _ = copy(&mut server, &mut client).await;
        let _ = copy(&mut server, &mut sink()).await;
        passed.send_modify(|passed| *passed += 1);
        let _ = client.shutdown().await;
    } else {
        let _ = copy_bidirectional(&mut client, &mut server).await;
    }
}
