//! Timeouts for clients that stall, at the level of the socket.
//!
//! The framework limits how long the first request head of a connection takes to arrive, and the
//! layers limit how long a request takes. The remaining cases are limited here; each closes the
//! connection and aborts the work for it:
//!
//! - There is output to send, and the client accepts too few bytes of it within the write timeout.
//! - Bytes have arrived, and no response was sent for longer than any request may take: a later
//!   request head arrives byte by byte.
//! - The connection is closing, and the client continues to send: a limited number of bytes is
//!   read, and only for a short time after the end of the output.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

use super::Connection;
use super::interim::{CONTINUE, Interim};

/// The number of bytes that a client has to accept within the write timeout.
const MIN_PROGRESS: usize = 64 * 1024;
/// How long to wait for the client to close its side of a closed connection. Until then it can read
/// the response. Closing the socket with unread input would reset the connection, and the client
/// would lose it.
const LINGER: Duration = Duration::from_secs(2);
/// The size of the buffer for input that is discarded.
const DISCARD_BUFFER: usize = 8 * 1024;

/// The timeouts of a connection.
#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    /// The time for a client to accept a minimum of the output.
    pub write: Duration,
    /// The time from the first byte of a request to the first byte of its response.
    pub answer: Duration,
}

/// A socket that stops waiting for its client after a timeout.
#[derive(Debug)]
pub struct TimedSocket<T> {
    io: T,
    connection: Connection,
    timeouts: Timeouts,
    /// Expires when the client must have accepted the minimum of output.
    write_deadline: Option<Pin<Box<Sleep>>>,
    /// The bytes that the client has accepted since the deadline was set.
    accepted: usize,
    /// Expires when the client must have accepted the output that TLS has buffered.
    flush_deadline: Option<Pin<Box<Sleep>>>,
    /// Expires when the request that the client has begun must have a response.
    response_deadline: Option<Pin<Box<Sleep>>>,
    /// Expires when the client must have closed its side. It is set once this side is closed.
    linger_deadline: Option<Pin<Box<Sleep>>>,
}

impl<T> TimedSocket<T> {
    /// Wraps the socket of a new connection.
    pub fn new(io: T, timeouts: Timeouts) -> Self {
        Self {
            io,
            connection: Connection::default(),
            timeouts,
            write_deadline: None,
            accepted: 0,
            flush_deadline: None,
            response_deadline: None,
            linger_deadline: None,
        }
    }

    /// The state that this socket shares with the service.
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Notes that the client has accepted `bytes` of output. `all` is whether that was all of it.
    fn note_progress(&mut self, bytes: usize, all: bool) {
        self.response_deadline = None;
        self.accepted = self.accepted.saturating_add(bytes);
        if all || self.accepted >= MIN_PROGRESS {
            self.write_deadline = None;
            self.accepted = 0;
        }
    }

    /// Waits for the write deadline, as the client accepts no output at present.
    fn poll_write_deadline(&mut self, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let time = self.timeouts.write;
        let deadline = self
            .write_deadline
            .get_or_insert_with(|| Box::pin(sleep(time)));
        deadline
            .as_mut()
            .poll(context)
            .map(|()| Err(write_timeout()))
    }

    /// Whether the response deadline has expired.
    fn is_response_overdue(&mut self, context: &mut Context<'_>) -> bool {
        let deadline = self.response_deadline.as_mut();
        deadline.is_some_and(|sleep| sleep.as_mut().poll(context).is_ready())
    }
}

fn write_timeout() -> io::Error {
    log::info!("a client did not read its answer in time: closing the connection");
    io::ErrorKind::TimedOut.into()
}

impl<T: AsyncRead + Unpin> TimedSocket<T> {
    /// Reads and discards input after this side is closed, until the client closes its side or the
    /// linger timeout expires.
    ///
    /// After a limited number of bytes, nothing more is read, but the socket stays open: closing it
    /// with unread input resets the connection, and a slow client would lose the response (RFC
    /// 9112, section 9.6). What the client still sends stays in the socket buffers.
    fn poll_linger(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let deadline = self
            .linger_deadline
            .get_or_insert_with(|| Box::pin(sleep(LINGER)));
        if deadline.as_mut().poll(context).is_ready() {
            return Poll::Ready(());
        }
        let mut bytes = [0; DISCARD_BUFFER];
        while !self.connection.has_drained_enough() {
            let mut buffer = ReadBuf::new(&mut bytes);
            match Pin::new(&mut self.io).poll_read(context, &mut buffer) {
                Poll::Ready(Ok(())) if !buffer.filled().is_empty() => {
                    self.connection.count_drained(buffer.filled().len());
                }
                Poll::Ready(_) => return Poll::Ready(()),
                Poll::Pending => return Poll::Pending,
            }
        }
        Poll::Pending
    }
}

impl<T: AsyncWrite + Unpin> TimedSocket<T> {
    /// Sends the rest of an interim response.
    fn poll_interim(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while let Interim::Due(sent) = self.connection.interim() {
            let rest = CONTINUE.get(sent..).unwrap_or_default();
            if rest.is_empty() {
                self.connection.set_interim(Interim::None);
                break;
            }
            let written = ready!(Pin::new(&mut self.io).poll_write(context, rest))?;
            let sent = sent.saturating_add(written.max(1));
            self.connection.set_interim(Interim::Due(sent));
        }
        Poll::Ready(Ok(()))
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for TimedSocket<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.is_response_overdue(context) {
            log::info!("a client did not complete its request in time: closing the connection");
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        if self.connection.has_drained_enough() {
            // The remaining input is ignored.
            return Poll::Ready(Ok(()));
        }
        let before = buffer.filled().len();
        let result = Pin::new(&mut self.io).poll_read(context, buffer);
        let read = buffer.filled().len().saturating_sub(before);
        if read > 0 && self.response_deadline.is_none() {
            self.response_deadline = Some(Box::pin(sleep(self.timeouts.answer)));
        }
        if self.connection.is_closing() {
            self.connection.count_drained(read);
        }
        if read == 0 && result.is_ready() && buffer.remaining() > 0 {
            self.connection.set_input_ended();
        }
        result
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> AsyncWrite for TimedSocket<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.connection.interim() {
            Interim::ComesNext if bytes.starts_with(CONTINUE) => {
                self.connection.set_interim(Interim::Held);
                return Poll::Ready(Ok(CONTINUE.len()));
            }
            // The final response is sent first, so the interim response is no longer needed.
            Interim::ComesNext | Interim::Held | Interim::Due(0) => {
                self.connection.set_interim(Interim::None);
            }
            Interim::Due(_) => ready!(self.poll_interim(context))?,
            Interim::None | Interim::AwaitsFlush => {}
        }
        match Pin::new(&mut self.io).poll_write(context, bytes) {
            Poll::Ready(Ok(written)) => {
                self.note_progress(written, written == bytes.len());
                Poll::Ready(Ok(written))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => self.poll_write_deadline(context),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.connection.flushed(context);
        ready!(self.poll_interim(context))?;
        if let Poll::Ready(result) = Pin::new(&mut self.io).poll_flush(context) {
            self.flush_deadline = None;
            return Poll::Ready(result);
        }
        let time = self.timeouts.write;
        let deadline = self
            .flush_deadline
            .get_or_insert_with(|| Box::pin(sleep(time)));
        deadline
            .as_mut()
            .poll(context)
            .map(|()| Err(write_timeout()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.linger_deadline.is_none() {
            ready!(Pin::new(&mut self.io).poll_shutdown(context))?;
        }
        if self.connection.is_closing() {
            ready!(self.poll_linger(context));
        }
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests;
