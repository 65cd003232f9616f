//! Drains the accept queue of a listener before it is closed.
//!
//! The kernel completes the handshake of a connection before the server accepts it, and the client
//! may have sent its request by then. When a listener is closed, the kernel resets the connections
//! in its accept queue, and their clients get no response. So new connections are stopped first: on
//! Linux, a socket filter drops their first packet (SYN). Clients send it again a second later and
//! find the port closed. Then the connections whose handshake is in progress are accepted, and the
//! listener is closed with an empty queue.
//!
//! Without such a filter, new connections continue for a while, and those that arrive at the very
//! moment of the close are reset.

use std::io;
use std::net::TcpListener;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tokio::time::{Instant, sleep};

/// The time for handshakes in progress to complete, also over long distances, and for clients that
/// reuse their connection to get a response that closes it.
const SHUTDOWN_GRACE: Duration = Duration::from_millis(500);
/// The time that a connection needs to get from the queue to a worker that reads its request.
const HANDOVER_TIME: Duration = Duration::from_millis(50);
/// The interval between two checks of the queue.
const POLL_INTERVAL: Duration = Duration::from_millis(10);

/// The accept queue of one listener.
#[derive(Debug)]
pub struct Backlog(TcpListener);

impl Backlog {
    /// The queue of `listener`, whichever thread accepts from it.
    ///
    /// # Errors
    /// If the file descriptor cannot be duplicated.
    pub fn of(listener: &TcpListener) -> io::Result<Self> {
        listener.try_clone().map(Self)
    }

    /// Stops new connections, and returns when the established ones are accepted, or after
    /// `timeout`. Then the listener can be closed.
    pub async fn drain(self, timeout: Duration) {
        let end = Instant::now() + timeout;
        let until = |wait: Duration| (Instant::now() + wait).min(end);
        if let Err(error) = refuse_new(&self.0) {
            log::debug!("cannot stop new connections before the listener is closed: {error}");
        }
        tokio::time::sleep_until(until(SHUTDOWN_GRACE)).await;
        while self.has_connections() && Instant::now() < end {
            sleep(POLL_INTERVAL).await;
        }
        tokio::time::sleep_until(until(HANDOVER_TIME)).await;
    }

    /// Whether a connection is waiting to be accepted. False if the system call fails.
    fn has_connections(&self) -> bool {
        let mut listeners = [PollFd::new(&self.0, PollFlags::IN)];
        poll(&mut listeners, Some(&Timespec::default())).is_ok_and(|ready| ready > 0)
    }
}

/// Makes the kernel drop packets that open a connection, and no others.
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
