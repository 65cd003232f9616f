//! A proxy in front of the store that injects faults into requests and answers at a chosen byte,
//! and records what was requested.

mod asks;

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::support::process::TIMEOUT;
use crate::support::shared;

/// What happens to a response after a number of its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResponseFault {
    /// No fault.
    Pass,
    /// No more bytes until another fault is chosen; then the connection is closed.
    Stall(u64),
    /// The connection is closed.
    Cut(u64),
    /// The next byte is changed.
    Flip(u64),
}

/// What happens to a PUT request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PutFault {
    /// One bit of the body is flipped.
    Flip,
    /// The request is delayed by this time.
    Late(Duration),
    /// The store handles it, and its answer is lost.
    LoseAnswer,
}

/// What the proxy has recorded.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// The heads of the requests, concatenated.
    pub asked: String,
    /// The part number of each PUT that began; 0 for a PUT of a whole object.
    pub puts: Vec<u32>,
    /// Bytes of request bodies that were forwarded.
    pub sent: u64,
    /// Bytes of responses that were forwarded.
    pub answered: u64,
    /// How many response faults were injected.
    pub played: usize,
}

pub struct FaultProxy {
    addr: SocketAddr,
    way: Way,
}

/// The state that all connections share.
#[derive(Clone)]
struct Way {
    upstream: Arc<Mutex<SocketAddr>>,
    trick: watch::Sender<ResponseFault>,
    seen: watch::Sender<Seen>,
    /// How many more times the fault is injected before everything passes.
    times: Arc<Mutex<usize>>,
    /// Faults for the next PUTs, one each.
    harm: Arc<Mutex<VecDeque<PutFault>>>,
}

impl FaultProxy {
    /// A proxy to `upstream` that forwards everything.
    pub fn new(upstream: SocketAddr) -> FaultProxy {
        let _inside = shared().enter();
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        listener.set_nonblocking(true).expect("a quick socket");
        let addr = listener.local_addr().expect("its address");
        let listener = TcpListener::from_std(listener).expect("a socket for the runtime");
        let way = Way {
            upstream: Arc::new(Mutex::new(upstream)),
            trick: watch::Sender::new(ResponseFault::Pass),
            seen: watch::Sender::new(Seen::default()),
            times: Arc::default(),
            harm: Arc::default(),
        };
        let every = way.clone();
        shared().spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                shared().spawn(carry(client, every.clone()));
            }
        });
        FaultProxy { addr, way }
    }

    /// Sends new connections to another upstream.
    pub fn leads(&self, upstream: SocketAddr) {
        *self.way.upstream.lock().unwrap() = upstream;
    }

    /// Injects a fault into each of the next PUTs, in order of arrival.
    pub fn harm(&self, harm: impl IntoIterator<Item = PutFault>) {
        self.way.harm.lock().unwrap().extend(harm);
    }

    /// What was recorded since the last `take`.
    pub fn seen(&self) -> Seen {
        self.way.seen.borrow().clone()
    }

    /// Waits until this many bytes of request bodies were forwarded since the last `take`.
    pub async fn sent(&self, bytes: u64) {
        let mut seen = self.way.seen.subscribe();
        let sent = seen.wait_for(|seen| seen.sent >= bytes);
        let sent = tokio::time::timeout(TIMEOUT, sent).await;
        sent.unwrap_or_else(|_| panic!("{bytes} bytes were not sent"))
            .expect("the proxy's own channel");
    }

    pub fn endpoint(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// Injects a fault into the next `times` responses that reach its position.
    pub fn play(&self, trick: ResponseFault, times: usize) {
        *self.way.times.lock().unwrap() = times;
        self.way.trick.send_replace(trick);
    }

    /// Forwards everything from now on. Stalled connections are closed.
    pub fn pass(&self) {
        self.play(ResponseFault::Pass, 0);
    }

    /// Returns and resets what was recorded.
    pub fn take(&self) -> Seen {
        self.way.seen.send_replace(Seen::default())
    }

    /// Waits until a fault was injected; returns what was recorded until then.
    pub async fn played(&self) -> Seen {
        let mut seen = self.way.seen.subscribe();
        let played = seen.wait_for(|seen| seen.played > 0);
        let played = tokio::time::timeout(TIMEOUT, played).await;
        let played =
            played.unwrap_or_else(|_| panic!("no response reached the position of the fault"));
        played.expect("the proxy's own channel").clone()
    }
}

async fn carry(mut client: TcpStream, way: Way) {
    let upstream = *way.upstream.lock().unwrap();
    let Ok(mut server) = TcpStream::connect(upstream).await else {
        return;
    };
    let (asks, mut gets) = client.split();
    let (mut answers, takes) = server.split();
    let (at, lost) = (AtomicU64::new(0), AtomicBool::new(false));
    let there = asks::carry(asks, takes, &way, &at, &lost);
    let Way {
        trick, seen, times, ..
    } = &way;
    let back = async {
        let mut buffer = vec![0; 16 * 1024];
        loop {
            let count = answers.read(&mut buffer).await?;
            if count == 0 {
                return gets.shutdown().await;
            }
            if lost.load(Ordering::SeqCst) {
                return Ok(());
            }
            let (now, begin) = (*trick.borrow(), at.load(Ordering::SeqCst));
            let place = match now {
                ResponseFault::Stall(place)
                | ResponseFault::Cut(place)
                | ResponseFault::Flip(place) => Some(place),
                ResponseFault::Pass => None,
            };
            let hit = place.filter(|place| (begin..begin + count as u64).contains(place));
            let hit = hit.filter(|_| {
                let mut times = times.lock().unwrap();
                let left = *times;
                *times = left.saturating_sub(1);
                left > 0
            });
            let mut through = count;
            if let Some(place) = hit {
                let inside = (place - begin) as usize;
                match now {
                    ResponseFault::Flip(_) => buffer[inside] ^= 0x10,
                    _ => through = inside,
                }
            }
            gets.write_all(&buffer[..through]).await?;
            at.fetch_add(through as u64, Ordering::SeqCst);
            seen.send_modify(|seen| {
                seen.answered += through as u64;
                seen.played += usize::from(hit.is_some());
            });
            match now {
                ResponseFault::Stall(_) if hit.is_some() => {
                    let other = trick
                        .subscribe()
                        .wait_for(|&trick| trick != now)
                        .await
                        .is_ok();
                    assert!(other, "the proxy is gone");
                    return Ok(());
                }
                ResponseFault::Cut(_) if hit.is_some() => return Ok(()),
                _ => {}
            }
        }
    };
    // Broken connections are the purpose of this proxy. When the responses end, so do the requests.
    let _: std::io::Result<()> = tokio::select! {
        ended = back => ended,
        broken = async { there.await?; std::future::pending().await } => broken,
    };
}
