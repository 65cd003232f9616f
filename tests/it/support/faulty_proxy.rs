//! A TCP door in front of a service behind which things go wrong in other modes than "away": it
//! falls silent, cuts answers short, or is answered by somebody else.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::shared;

/// What becomes of those who come, and of those who are inside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// To this service.
    Forward(SocketAddr),
    /// Nowhere: connections stay open, and nothing is carried any more.
    Silent,
    /// To this service, whose answer ends after so many bytes.
    Truncate(SocketAddr, u64),
    /// Every request gets this HTTP answer.
    Respond(&'static str),
    /// To this service, one request a connection; whoever comes with such words in the head gets
    /// this HTTP answer.
    RespondToMatching(SocketAddr, &'static str, &'static str),
    /// To this service, one request a connection; a request with such words in its head is never
    /// answered.
    StallMatching(SocketAddr, &'static str),
}

/// A door on a port of its own.
pub struct FaultyProxy {
    addr: SocketAddr,
    mode: watch::Sender<Mode>,
}

impl FaultyProxy {
    /// A door to `upstream`.
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

    /// Where clients come in.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The door as an HTTP endpoint.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// Another way from now on. Connections on the old one end; through silence they live on.
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
                // Not polled, nothing moves.
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

/// A broken connection is what a door is for: nothing to say.
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
            if pass_unless(&mut client, upstream, words).await {
                let _ = client.write_all(answer.as_bytes()).await;
                let _ = client.shutdown().await;
            }
        }
        Mode::StallMatching(upstream, words) => {
            if pass_unless(&mut client, upstream, words).await {
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
        // Whoever comes is let in, and that is all.
        Mode::Silent => std::future::pending().await,
    }
}

/// Carries one request to `upstream`, unless its head has such words: says whether it does.
async fn pass_unless(client: &mut TcpStream, upstream: SocketAddr, words: &str) -> bool {
    let Some(mut head) = head_of(client).await else {
        return false;
    };
    if String::from_utf8_lossy(&head).contains(words) {
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

/// The head of a request; `None` where the client goes before its end.
pub(super) async fn head_of(client: &mut TcpStream) -> Option<Vec<u8>> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(client.read_u8().await.ok()?);
    }
    Some(head)
}
