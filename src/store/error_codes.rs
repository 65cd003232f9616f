//! SQLSTATE: the code of a Postgres error, which does not depend on the language of the server.
//!
//! Diesel keeps the message of an error and drops its code, except for the few codes that have a
//! `DatabaseErrorKind`. The message is meant for humans: its wording changes with the `lc_messages`
//! and the version of the server. So the code is appended to the message when the error arrives
//! from the server, where the protocol still has it, and [`sqlstate`] reads it from the message.
//!
//! Sources: <https://www.postgresql.org/docs/current/protocol-message-formats.html>, ErrorResponse,
//! and <https://www.postgresql.org/docs/current/errcodes-appendix.html>.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::{cmp, io};

use bytes::BytesMut;
use diesel::result::Error;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_postgres::tls::{ChannelBinding, TlsStream};

const CODE_PREFIX: &str = " (SQLSTATE ";
const CODE_SUFFIX: &str = ")";

/// Returns the code of an error from the server; `None` for an error of the client library.
pub fn sqlstate(error: &Error) -> Option<&str> {
    let Error::DatabaseError(_, information) = error else {
        return None;
    };
    let (_, code) = (information.message())
        .strip_suffix(CODE_SUFFIX)?
        .rsplit_once(CODE_PREFIX)?;
    Some(code)
}

/// The length of a message header: one byte for the type and four for the length.
const HEADER: usize = 5;
/// The largest error message that gets its code, in bytes; a larger one is passed on unchanged.
const MAX_ERROR: usize = 1 << 20;
/// How many bytes are read at once.
const CHUNK: usize = 8 * 1024;

/// A stream from the server in which the messages of errors carry their codes.
///
/// The inner stream must start with the first message of the server, after the TLS negotiation.
pub(super) struct SqlstateStream<S> {
    stream: S,
    messages: Messages,
    chunk: Box<[u8; CHUNK]>,
    /// Bytes that the reader has not consumed yet.
    out: BytesMut,
}

impl<S> SqlstateStream<S> {
    pub(super) fn new(stream: S) -> Self {
        Self {
            stream,
            messages: Messages::default(),
            chunk: Box::new([0; CHUNK]),
            out: BytesMut::new(),
        }
    }
}

/// The state of parsing the messages of the server.
#[derive(Default)]
struct Messages {
    /// An incomplete header, or an incomplete error.
    buffered: BytesMut,
    /// The total length of the buffered error; `None` while a header is buffered.
    error: Option<usize>,
    /// How many bytes of the current message are still to come and are passed on unchanged.
    remaining: usize,
}

impl Messages {
    /// Processes bytes from the server, and appends to `out` what the reader gets.
    fn process(&mut self, mut bytes: &[u8], out: &mut BytesMut) {
        while !bytes.is_empty() {
            let wanted = match self.remaining {
                0 => self
                    .error
                    .unwrap_or(HEADER)
                    .saturating_sub(self.buffered.len()),
                remaining => remaining,
            };
            let (next, rest) = bytes.split_at(cmp::min(wanted, bytes.len()));
            bytes = rest;
            if self.remaining > 0 {
                self.remaining -= next.len();
                out.extend_from_slice(next);
                continue;
            }
            self.buffered.extend_from_slice(next);
            match self.error {
                Some(length) if self.buffered.len() == length => {
                    append_code(&self.buffered, out);
                    self.buffered.clear();
                    self.error = None;
                }
                None if self.buffered.len() == HEADER => self.start_message(out),
                _ => {}
            }
        }
    }

    /// Decides from a complete header how its message is processed.
    fn start_message(&mut self, out: &mut BytesMut) {
        let Some((kind, length)) = self.buffered.split_first() else {
            return;
        };
        let length = <[u8; 4]>::try_from(length).map_or(0, u32::from_be_bytes);
        // The length field includes itself.
        let body = usize::try_from(length)
            .unwrap_or_default()
            .saturating_sub(4);
        if *kind == b'E' && (1..=MAX_ERROR).contains(&body) {
            self.error = Some(HEADER + body);
            return;
        }
        out.extend_from_slice(&self.buffered);
        self.buffered.clear();
        self.remaining = body;
    }
}

/// Appends an error with its code in its message, or unchanged if it has no code.
fn append_code(error: &[u8], out: &mut BytesMut) {
    match with_code(error) {
        Some(error) => out.extend_from_slice(&error),
        None => out.extend_from_slice(error),
    }
}

fn with_code(error: &[u8]) -> Option<Vec<u8>> {
    let (_, body) = error.split_at_checked(HEADER)?;
    // Each field is a letter and a text that ends with a zero byte; another zero byte ends the
    // list.
    let fields: Vec<&[u8]> = body.split(|byte| *byte == 0).collect();
    let code = fields.iter().find_map(|field| field.strip_prefix(b"C"))?;
    let mut coded = Vec::with_capacity(error.len() + CODE_PREFIX.len() + code.len() + 1);
    coded.extend_from_slice(b"E\0\0\0\0");
    for field in fields.iter().take_while(|field| !field.is_empty()) {
        coded.extend_from_slice(field);
        if field.first() == Some(&b'M') {
            coded.extend_from_slice(CODE_PREFIX.as_bytes());
            coded.extend_from_slice(code);
            coded.extend_from_slice(CODE_SUFFIX.as_bytes());
        }
        coded.push(0);
    }
    coded.push(0);
    let length = u32::try_from(coded.len().checked_sub(1)?).ok()?;
    let length_field = coded.get_mut(1..HEADER)?;
    length_field.copy_from_slice(&length.to_be_bytes());
    Some(coded)
}

impl<S: AsyncRead + Unpin> AsyncRead for SqlstateStream<S> {
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
                // The end of the stream. A truncated error is dropped.
                return Poll::Ready(Ok(()));
            }
            this.messages.process(chunk.filled(), &mut this.out);
        }
        let length = cmp::min(this.out.len(), buffer.remaining());
        buffer.put_slice(&this.out.split_to(length));
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for SqlstateStream<S> {
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

impl<S: TlsStream + Unpin> TlsStream for SqlstateStream<S> {
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
    fn errors_get_their_code_for_every_split_of_the_stream() {
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
                messages.process(piece, &mut out);
            }
            assert_eq!(out, expected, "in pieces of {size} bytes");
        }
    }

    #[test]
    fn sqlstate_reads_only_the_appended_code() {
        let error = |message: &str| {
            Error::DatabaseError(DatabaseErrorKind::Unknown, Box::new(message.to_owned()))
        };
        let spoofed = error("no (SQLSTATE 40P01) here (SQLSTATE 57014)");
        assert_eq!(sqlstate(&spoofed), Some("57014"));
        assert_eq!(sqlstate(&error("connection closed")), None);
        assert_eq!(sqlstate(&Error::NotFound), None);
    }
}
