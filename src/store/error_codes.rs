//! SQLSTATE: the code by which Postgres says what an error is, in every language.
//!
//! Diesel keeps an error's message and drops its code, unless it is one of the few that diesel has
//! a kind for. The message is written for people: its words change with the server's `lc_messages`
//! and version. So the code is appended to the message as it arrives from the server, where the
//! protocol still has it, and is read from there by [`sqlstate`].
//!
//! Source: <https://www.postgresql.org/docs/current/protocol-message-formats.html>, ErrorResponse,
//! and <https://www.postgresql.org/docs/current/errcodes-appendix.html>.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::{cmp, io};

use bytes::BytesMut;
use diesel::result::Error;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_postgres::tls::{ChannelBinding, TlsStream};

const BEFORE: &str = " (SQLSTATE ";
const BEHIND: &str = ")";

/// The code of an error that the server answered with; `None` for one that the client made.
pub fn sqlstate(error: &Error) -> Option<&str> {
    let Error::DatabaseError(_, information) = error else {
        return None;
    };
    let (_, code) = (information.message())
        .strip_suffix(BEHIND)?
        .rsplit_once(BEFORE)?;
    Some(code)
}

/// The kind of a message from the server, and its length.
const HEAD: usize = 5;
/// Bytes of an error that is read as one; a larger one passes as it is.
const MOST: usize = 1 << 20;
/// Bytes that are read at once.
const CHUNK: usize = 8 * 1024;

/// A connection to the server whose errors carry their codes in their messages.
///
/// It is put on a stream that begins with the first message of the server: behind the negotiation
/// of TLS.
pub(super) struct Coded<S> {
    stream: S,
    messages: Messages,
    chunk: Box<[u8; CHUNK]>,
    /// What the reader has not taken yet.
    out: BytesMut,
}

impl<S> Coded<S> {
    pub(super) fn new(stream: S) -> Self {
        Self {
            stream,
            messages: Messages::default(),
            chunk: Box::new([0; CHUNK]),
            out: BytesMut::new(),
        }
    }
}

/// The messages of the server, as they pass.
#[derive(Default)]
struct Messages {
    /// A head, or an error, that is not complete.
    held: BytesMut,
    /// The length of that error; nothing while it is a head.
    error: Option<usize>,
    /// Bytes of the current message that are still to come, and pass as they are.
    left: usize,
}

impl Messages {
    /// Takes bytes from the server and appends what the reader is to see.
    fn pass(&mut self, mut bytes: &[u8], out: &mut BytesMut) {
        while !bytes.is_empty() {
            let wanted = match self.left {
                0 => self.error.unwrap_or(HEAD).saturating_sub(self.held.len()),
                left => left,
            };
            let (next, rest) = bytes.split_at(cmp::min(wanted, bytes.len()));
            bytes = rest;
            if self.left > 0 {
                self.left -= next.len();
                out.extend_from_slice(next);
                continue;
            }
            self.held.extend_from_slice(next);
            match self.error {
                Some(length) if self.held.len() == length => {
                    append_code(&self.held, out);
                    self.held.clear();
                    self.error = None;
                }
                None if self.held.len() == HEAD => self.begin(out),
                _ => {}
            }
        }
    }

    /// Decides what becomes of the message whose head is held.
    fn begin(&mut self, out: &mut BytesMut) {
        let Some((kind, length)) = self.held.split_first() else {
            return;
        };
        let length = <[u8; 4]>::try_from(length).map_or(0, u32::from_be_bytes);
        // The length counts itself.
        let body = usize::try_from(length)
            .unwrap_or_default()
            .saturating_sub(4);
        if *kind == b'E' && (1..=MOST).contains(&body) {
            self.error = Some(HEAD + body);
            return;
        }
        out.extend_from_slice(&self.held);
        self.held.clear();
        self.left = body;
    }
}

/// Appends an error with its code in its message; as it is, where it has none.
fn append_code(error: &[u8], out: &mut BytesMut) {
    match with_code(error) {
        Some(error) => out.extend_from_slice(&error),
        None => out.extend_from_slice(error),
    }
}

fn with_code(error: &[u8]) -> Option<Vec<u8>> {
    let (_, body) = error.split_at_checked(HEAD)?;
    // Each is a letter and a text, ended by a zero; one more zero ends all.
    let fields: Vec<&[u8]> = body.split(|byte| *byte == 0).collect();
    let code = fields.iter().find_map(|field| field.strip_prefix(b"C"))?;
    let mut coded = Vec::with_capacity(error.len() + BEFORE.len() + code.len() + 1);
    coded.extend_from_slice(b"E\0\0\0\0");
    for field in fields.iter().take_while(|field| !field.is_empty()) {
        coded.extend_from_slice(field);
        if field.first() == Some(&b'M') {
            coded.extend_from_slice(BEFORE.as_bytes());
            coded.extend_from_slice(code);
            coded.extend_from_slice(BEHIND.as_bytes());
        }
        coded.push(0);
    }
    coded.push(0);
    let length = u32::try_from(coded.len().checked_sub(1)?).ok()?;
    let place = coded.get_mut(1..HEAD)?;
    place.copy_from_slice(&length.to_be_bytes());
    Some(coded)
}

impl<S: AsyncRead + Unpin> AsyncRead for Coded<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        while this.out.is_empty() {
            let mut chunk = ReadBuf::new(&mut *this.chunk);
            ready!(Pin::new(&mut this.stream).poll_read(context, &mut chunk))?;
            if chunk.filled().is_empty() {
                // The end; an error that was cut off is none.
                return Poll::Ready(Ok(()));
            }
            this.messages.pass(chunk.filled(), &mut this.out);
        }
        let length = cmp::min(this.out.len(), buffer.remaining());
        buffer.put_slice(&this.out.split_to(length));
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Coded<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

impl<S: TlsStream + Unpin> TlsStream for Coded<S> {
    fn channel_binding(&self) -> ChannelBinding {
        self.stream.channel_binding()
    }
}

#[cfg(test)]
mod tests {
    use diesel::result::DatabaseErrorKind;

    use super::*;

    fn message(kind: u8, body: &[u8]) -> Vec<u8> {
        let length = u32::try_from(body.len() + 4).unwrap();
        [&[kind][..], &length.to_be_bytes(), body].concat()
    }

    #[test]
    fn errors_get_their_code_and_all_else_passes_however_it_is_cut() {
        let row = message(b'D', b"SFATAL\0C57014\0ME\0\0");
        let error = message(b'E', b"SFEHLER\0VERROR\0C57014\0Mabgebrochen\0Fa.c\0\0");
        let coded = message(
            b'E',
            b"SFEHLER\0VERROR\0C57014\0Mabgebrochen (SQLSTATE 57014)\0Fa.c\0\0",
        );
        let without = message(b'E', b"Mwords alone\0\0");
        let ready = message(b'Z', b"I");
        let empty = message(b'n', b"");
        let sent = [&*row, &*empty, &*error, &*ready, &*without, &*error].concat();
        let expected = [&*row, &*empty, &*coded, &*ready, &*without, &*coded].concat();
        for size in 1..=sent.len() {
            let (mut messages, mut out) = (Messages::default(), BytesMut::new());
            for piece in sent.chunks(size) {
                messages.pass(piece, &mut out);
            }
            assert_eq!(out, expected, "in pieces of {size} bytes");
        }
    }

    #[test]
    fn the_code_is_the_one_that_was_appended() {
        let error = |message: &str| {
            Error::DatabaseError(DatabaseErrorKind::Unknown, Box::new(message.to_owned()))
        };
        let spoofed = error("no (SQLSTATE 40P01) here (SQLSTATE 57014)");
        assert_eq!(sqlstate(&spoofed), Some("57014"));
        assert_eq!(sqlstate(&error("connection closed")), None);
        assert_eq!(sqlstate(&Error::NotFound), None);
    }
}
