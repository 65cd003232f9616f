//! A TCP proxy in front of a service that simulates failures other than an unavailable service: it stops
//! transferring bytes, truncates responses, or responds in place of the service.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::shared;

/// What the proxy does with new and with existing connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Forwards to this service.
    Forward(SocketAddr),
    /// Keeps connections open without transferring any bytes.
    Silent,
    /// Forwards to this service, and closes the connection after this number of response bytes.
    Truncate(SocketAddr, u64),
    /// Returns this HTTP response to every request.
    Respond(&'static str),
    /// Forwards to this service, one request per connection. A request whose head contains the first text
    /// gets the second text as its HTTP response.
    RespondToMatching(SocketAddr, &'static str, &'static str),
    /// Forwards to this service, one request per connection. A request whose head contains this text never
    /// gets a response.
    StallMatching(SocketAddr, &'static str),
}

/// A proxy on its own port.
pub struct FaultyProxy {
    addr: SocketAddr,
    mode: watch::Sender<Mode>,
}

impl FaultyProxy {
    /// Starts a proxy that forwards to `upstream`.
    pub fn new(upstream: SocketAddr) -> FaultyProxy {
        let (mode, modes) = watch::channel(Mode::Forward(upstream));
        let _inside = shared().enter();
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let addr = listener.local_addr().expect("its address");
        listener.set_nonblocking(true).expect("a quick socket");
        let listener = TcpListener::from_std(listener).expect("a socket for the runtime");
        shared().spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                shared().spawn(carry(client, modes.clone()));
            }
        });
        FaultyProxy { addr, mode }
    }

    /// Returns the address that clients connect to.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Returns the HTTP endpoint of the proxy.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// Changes the mode. Connections of the previous mode are closed, except when the new mode is `Silent`.
    pub fn set_mode(&self, mode: Mode) {
        self.mode.send_replace(mode);
    }
}

async fn carry(client: TcpStream, mut modes: watch::Receiver<Mode>) {
    let mode = *modes.borrow_and_update();
    let mut work = std::pin::pin!(follow(client, mode));
    loop {
        let now = *modes.borrow_and_update();
        if now != mode && now != Mode::Silent {
            return;
        }
        let done = async {
            match now {
                // No byte is transferred while the work is not polled.
                Mode::Silent => std::future::pending().await,
                _ => work.as_mut().await,
            }
        };
        tokio::select! {
            () = done => return,
            changed = modes.changed() => if changed.is_err() { return },
        }
    }
}

/// Serves one connection. Broken connections are expected, so their errors are ignored.
async fn follow(mut client: TcpStream, mode: Mode) {
    match mode {
        Mode::Forward(upstream) => {
            if let Ok(mut server) = TcpStream::connect(upstream).await {
                let _ = copy_bidirectional(&mut client, &mut server).await;
            }
        }
        Mode::Truncate(upstream, bytes) => {
            let mut server = TcpStream::connect(upstream).await.expect("the service");
            let (mut asks, mut gets) = client.split();
            let (answers, mut takes) = server.split();
            let mut answers = answers.take(bytes);
            tokio::select! {
                _ = copy(&mut answers, &mut gets) => {}
                _ = async { let _ = copy(&mut asks, &mut takes).await; std::future::pending::<()>().await } => {}
            }
        }
        Mode::RespondToMatching(upstream, words, answer) => {
            if forward_unless(&mut client, upstream, words).await {
                let _ = client.write_all(answer.as_bytes()).await;
                let _ = client.shutdown().await;
            }
        }
        Mode::StallMatching(upstream, words) => {
            if forward_unless(&mut client, upstream, words).await {
                std::future::pending::<()>().await;
            }
        }
        Mode::Respond(answer) => {
            let Some(head) = head_of(&mut client).await else {
                return;
            };
            let only_head = answer.split("\r\n\r\n").next().unwrap_or_default();
            let answer = if head.starts_with(b"HEAD ") {
                format!("{only_head}\r\n\r\n")
            } else {
                answer.to_owned()
            };
            let _ = client.write_all(answer.as_bytes()).await;
            let _ = client.shutdown().await;
        }
        // The connection is accepted, and nothing else happens.
        Mode::Silent => std::future::pending().await,
    }
}

/// Forwards one request to `upstream`, unless its head contains `text`. Returns whether it does.
async fn forward_unless(client: &mut TcpStream, upstream: SocketAddr, text: &str) -> bool {
    let Some(mut head) = head_of(client).await else {
        return false;
    };
    if String::from_utf8_lossy(&head).contains(text) {
        return true;
    }
    let end = head.len() - 2;
    head.splice(end.., *b"connection: close\r\n\r\n");
    if let Ok(mut server) = TcpStream::connect(upstream).await
        && server.write_all(&head).await.is_ok()
    {
        let _ = copy_bidirectional(client, &mut server).await;
    }
    false
}

/// Reads the head of a request; returns `None` if the client closes the connection before its end.
pub(super) async fn head_of(client: &mut TcpStream) -> Option<Vec<u8>> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(client.read_u8().await.ok()?);
    }
    Some(head)
}
