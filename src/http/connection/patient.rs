//! Clients that hang, as seen from the socket.
//!
//! The framework bounds how long the first head of a connection takes to arrive, and the layers how
//! long a request takes. What is left is bounded here, with the connection and whatever is at work
//! for it as the price:
//!
//! - Something waits to be sent, and the client takes less than a stretch of it in its time.
//! - Bytes have come, and for longer than any request may take nothing went back: a later head that
//!   drips in.
//! - The connection is closing, and the client sends on: a bounded number of bytes is read, and
//!   after the end of what we write only for a short time.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

use super::Connection;
use super::interim::{CONTINUE, Interim};

/// Bytes that a client has to take in the time that it is given.
const STRETCH: usize = 64 * 1024;
/// How long a client whose connection is closed may take to close its side. Until then it may
/// still read the response: unread bytes in our socket would reset the connection under it.
const LINGER: Duration = Duration::from_secs(2);
/// Bytes that are read at once from a client that lingers.
const SIP: usize = 8 * 1024;

/// How patient to be.
#[derive(Clone, Copy, Debug)]
pub struct Times {
    /// For a client to take a stretch of what waits for it.
    pub write: Duration,
    /// From the first byte of a request to the first of its answer.
    pub answer: Duration,
}

/// A connection that waits for its client, but not for ever.
#[derive(Debug)]
pub struct Patient<T> {
    io: T,
    connection: Connection,
    times: Times,
    /// Ends when the client has to have taken the stretch.
    writing: Option<Pin<Box<Sleep>>>,
    taken: usize,
    /// Ends when what TLS holds back has to have been taken.
    flushing: Option<Pin<Box<Sleep>>>,
    /// Ends when what the client sent has to have been answered.
    answering: Option<Pin<Box<Sleep>>>,
    /// Ends when the client has to have closed its side; ours is closed.
    lingering: Option<Pin<Box<Sleep>>>,
}

impl<T> Patient<T> {
    /// Waits for the client of `io`.
    pub fn new(io: T, times: Times) -> Self {
        Self {
            io,
            connection: Connection::default(),
            times,
            writing: None,
            taken: 0,
            flushing: None,
            answering: None,
            lingering: None,
        }
    }

    /// What this socket shares with the service.
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    fn took(&mut self, bytes: usize, all: bool) {
        self.answering = None;
        self.taken = self.taken.saturating_add(bytes);
        if all || self.taken >= STRETCH {
            self.writing = None;
            self.taken = 0;
        }
    }

    fn stalls(&mut self, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let time = self.times.write;
        let writing = self.writing.get_or_insert_with(|| Box::pin(sleep(time)));
        writing.as_mut().poll(context).map(|()| Err(cut_off()))
    }

    fn is_overdue(&mut self, context: &mut Context<'_>) -> bool {
        let answering = self.answering.as_mut();
        answering.is_some_and(|sleep| sleep.as_mut().poll(context).is_ready())
    }
}

fn cut_off() -> io::Error {
    log::info!("a client did not read its answer: it is cut off");
    io::ErrorKind::TimedOut.into()
}

impl<T: AsyncRead + Unpin> Patient<T> {
    /// Reads on after our side is closed, until the client closes its side or the time is over.
    ///
    /// After a bounded number of bytes nothing more is read, but the socket stays open: closing it
    /// with unread bytes resets the connection, and a client that is slow to read would lose the
    /// response (RFC 9112, section 9.6). What it still sends waits in the buffers of the sockets.
    fn poll_linger(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let lingering = self
            .lingering
            .get_or_insert_with(|| Box::pin(sleep(LINGER)));
        if lingering.as_mut().poll(context).is_ready() {
            return Poll::Ready(());
        }
        let mut bytes = [0; SIP];
        while !self.connection.has_read_enough() {
            let mut buffer = ReadBuf::new(&mut bytes);
            match Pin::new(&mut self.io).poll_read(context, &mut buffer) {
                Poll::Ready(Ok(())) if !buffer.filled().is_empty() => {
                    self.connection.count_unread(buffer.filled().len());
                }
                Poll::Ready(_) => return Poll::Ready(()),
                Poll::Pending => return Poll::Pending,
            }
        }
        Poll::Pending
    }
}

impl<T: AsyncWrite + Unpin> Patient<T> {
    /// Sends what is left of an interim response.
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

impl<T: AsyncRead + Unpin> AsyncRead for Patient<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.is_overdue(context) {
            log::info!("a client did not end its request: it is cut off");
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        if self.connection.has_read_enough() {
            // The end of what the client sends, as far as we are concerned.
            return Poll::Ready(Ok(()));
        }
        let before = buffer.filled().len();
        let result = Pin::new(&mut self.io).poll_read(context, buffer);
        let read = buffer.filled().len().saturating_sub(before);
        if read > 0 && self.answering.is_none() {
            self.answering = Some(Box::pin(sleep(self.times.answer)));
        }
        if self.connection.is_closing() {
            self.connection.count_unread(read);
        }
        result
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Patient<T> {
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
            // The final response is here first.
            Interim::ComesNext | Interim::Held | Interim::Due(0) => {
                self.connection.set_interim(Interim::None);
            }
            Interim::Due(_) => ready!(self.poll_interim(context))?,
            Interim::None | Interim::AwaitsFlush => {}
        }
        match Pin::new(&mut self.io).poll_write(context, bytes) {
            Poll::Ready(Ok(written)) => {
                self.took(written, written == bytes.len());
                Poll::Ready(Ok(written))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => self.stalls(context),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.connection.flushed(context);
        ready!(self.poll_interim(context))?;
        if let Poll::Ready(result) = Pin::new(&mut self.io).poll_flush(context) {
            self.flushing = None;
            return Poll::Ready(result);
        }
        let time = self.times.write;
        let flushing = self.flushing.get_or_insert_with(|| Box::pin(sleep(time)));
        flushing.as_mut().poll(context).map(|()| Err(cut_off()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.lingering.is_none() {
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
