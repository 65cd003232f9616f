//! A door to the store that plays tricks with the bytes of requests and answers, at a place that
//! the test chooses, and remembers what was asked.

mod asks;

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::support::process::PATIENCE;
use crate::support::shared;

/// What happens to an answer, after so many of its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trick {
    /// Nothing.
    Pass,
    /// Nothing more comes, until another trick is chosen; then the connection ends.
    Stall(u64),
    /// The connection ends.
    Cut(u64),
    /// The next byte is another one.
    Flip(u64),
}

/// What happens to a PUT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Harm {
    /// One bit of its body is another one.
    Flip,
    /// It comes so much later.
    Late(Duration),
    /// The store takes it, and its answer is lost.
    LoseAnswer,
}

/// What was seen so far.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// The requests' heads, one after the other.
    pub asked: String,
    /// Of every PUT that began, its part number; 0 of the whole.
    pub puts: Vec<u32>,
    /// Bytes of bodies that got through.
    pub sent: u64,
    /// Bytes of answers that got through.
    pub answered: u64,
    /// How many tricks were played.
    pub played: usize,
}

pub struct Meddler {
    addr: SocketAddr,
    way: Way,
}

/// What every connection works with.
#[derive(Clone)]
struct Way {
    upstream: Arc<Mutex<SocketAddr>>,
    trick: watch::Sender<Trick>,
    seen: watch::Sender<Seen>,
    /// How many more times the trick is played before everything passes.
    times: Arc<Mutex<usize>>,
    /// For the next PUTs, one each.
    harm: Arc<Mutex<VecDeque<Harm>>>,
}

impl Meddler {
    /// A door to `upstream` that lets everything pass.
    pub fn new(upstream: SocketAddr) -> Meddler {
        let _inside = shared().enter();
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        listener.set_nonblocking(true).expect("a quick socket");
        let addr = listener.local_addr().expect("its address");
        let listener = TcpListener::from_std(listener).expect("a socket for the runtime");
        let way = Way {
            upstream: Arc::new(Mutex::new(upstream)),
            trick: watch::Sender::new(Trick::Pass),
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
        Meddler { addr, way }
    }

    /// New connections lead there.
    pub fn leads(&self, upstream: SocketAddr) {
        *self.way.upstream.lock().unwrap() = upstream;
    }

    /// Harms the next PUTs, one each, in the order in which they come.
    pub fn harm(&self, harm: impl IntoIterator<Item = Harm>) {
        self.way.harm.lock().unwrap().extend(harm);
    }

    /// What was seen since `take`.
    pub fn seen(&self) -> Seen {
        self.way.seen.borrow().clone()
    }

    /// Waits until so many bytes of bodies got through since `take`.
    pub async fn sent(&self, bytes: u64) {
        let mut seen = self.way.seen.subscribe();
        let sent = seen.wait_for(|seen| seen.sent >= bytes);
        let sent = tokio::time::timeout(PATIENCE, sent).await;
        sent.unwrap_or_else(|_| panic!("{bytes} bytes were not sent"))
            .expect("the meddler's own channel");
    }

    pub fn endpoint(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// Plays a trick on the next `times` connections that reach its place.
    pub fn play(&self, trick: Trick, times: usize) {
        *self.way.times.lock().unwrap() = times;
        self.way.trick.send_replace(trick);
    }

    /// Everything passes from now on. What is stalled ends.
    pub fn pass(&self) {
        self.play(Trick::Pass, 0);
    }

    /// What was seen since the last time that it was taken.
    pub fn take(&self) -> Seen {
        self.way.seen.send_replace(Seen::default())
    }

    /// Waits until a trick was played, and says what was seen until then.
    pub async fn played(&self) -> Seen {
        let mut seen = self.way.seen.subscribe();
        let played = seen.wait_for(|seen| seen.played > 0);
        let played = tokio::time::timeout(PATIENCE, played).await;
        let played = played.unwrap_or_else(|_| panic!("nobody reaches the place of the trick"));
        played.expect("the meddler's own channel").clone()
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
                Trick::Stall(place) | Trick::Cut(place) | Trick::Flip(place) => Some(place),
                Trick::Pass => None,
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
                    Trick::Flip(_) => buffer[inside] ^= 0x10,
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
                Trick::Stall(_) if hit.is_some() => {
                    let other = trick
                        .subscribe()
                        .wait_for(|&trick| trick != now)
                        .await
                        .is_ok();
                    assert!(other, "the meddler is gone");
                    return Ok(());
                }
                Trick::Cut(_) if hit.is_some() => return Ok(()),
                _ => {}
            }
        }
    };
    // A connection that breaks is what a meddler is for. When the answers end, so do the requests.
    let _: std::io::Result<()> = tokio::select! {
        ended = back => ended,
        broken = async { there.await?; std::future::pending().await } => broken,
    };
}
