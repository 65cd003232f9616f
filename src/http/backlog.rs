//! The listener's queue at a stop.
//!
//! A connection is made by the system before the server accepts it, and its request may have been
//! sent by then. When a listener is closed, what stands in its queue is reset, and those clients get
//! no answer. So no new connections are made first: on Linux a filter on the listener drops their
//! first packet (SYN), which clients send again a second later, to find the port closed. Then what
//! is under way comes in and is accepted, and an empty queue is closed.
//!
//! Where there is no such filter, connections go on being made for a while, and the few that come
//! at the very moment of the close are reset.

use std::io;
use std::net::TcpListener;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tokio::time::{Instant, sleep};

/// How long a handshake that is under way may take to end, from far away too, and how long a client
/// that uses a connection again and again has to get an answer that closes it.
const FAREWELL: Duration = Duration::from_millis(500);
/// What connections need from the queue to the worker that reads their requests.
const HANDED_OVER: Duration = Duration::from_millis(50);
/// How often to look whether the queue is empty.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// The queue of one listener.
#[derive(Debug)]
pub struct Backlog(TcpListener);

impl Backlog {
    /// Of `listener`, in whichever thread it is accepted from.
    ///
    /// # Errors
    /// When the system has no room for another descriptor.
    pub fn of(listener: &TcpListener) -> io::Result<Self> {
        listener.try_clone().map(Self)
    }

    /// Lets no new connections in, and returns when those that are made are accepted, or after
    /// `bound`. The listener can be closed then.
    pub async fn drain(self, bound: Duration) {
        let end = Instant::now() + bound;
        let until = |wait: Duration| (Instant::now() + wait).min(end);
        if let Err(error) = refuse_new(&self.0) {
            log::debug!("new connections are made until the listener is closed: {error}");
        }
        tokio::time::sleep_until(until(FAREWELL)).await;
        while self.is_waited_in() && Instant::now() < end {
            sleep(LOOK_EVERY).await;
        }
        tokio::time::sleep_until(until(HANDED_OVER)).await;
    }

    /// Whether a connection waits to be accepted. Where the system does not say, none does.
    fn is_waited_in(&self) -> bool {
        let mut listeners = [PollFd::new(&self.0, PollFlags::IN)];
        poll(&mut listeners, Some(&Timespec::default())).is_ok_and(|ready| ready > 0)
    }
}

/// Has the system drop the packets that ask for a connection, and no others.
#[cfg(target_os = "linux")]
fn refuse_new(listener: &TcpListener) -> io::Result<()> {
    use socket2::{SockFilter, SockRef};

    // Classic BPF over the TCP segment (Linux, "Linux Socket Filtering aka BPF"): the flags are its
    // byte 13 (RFC 9293, section 3.1), and SYN is 0x02.
    const LOAD_BYTE: u16 = 0x30;
    const JUMP_IF_SET: u16 = 0x45;
    const RETURN: u16 = 0x06;
    const FLAGS: u32 = 13;
    const SYN: u32 = 0x02;
    SockRef::from(listener).attach_filter(&[
        SockFilter::new(LOAD_BYTE, 0, 0, FLAGS),
        SockFilter::new(JUMP_IF_SET, 0, 1, SYN),
        SockFilter::new(RETURN, 0, 0, 0),
        SockFilter::new(RETURN, 0, 0, u32::MAX),
    ])
}

#[cfg(not(target_os = "linux"))]
fn refuse_new(_: &TcpListener) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}
