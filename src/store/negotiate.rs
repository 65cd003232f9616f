//! Turns a socket into a stream to Postgres: with or without TLS, and with the codes of errors in
//! their messages (see `error_codes`).
//!
//! The driver does not let a connector wrap a stream that is not encrypted. So the driver is
//! configured to start TLS at once, and this connector decides whether to use TLS, as libpq does
//! according to `sslmode`.
//!
//! Source: <https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-SSL>

use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures::future::{BoxFuture, FutureExt as _};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf};
use tokio_postgres::config::{SslMode, SslNegotiation};
use tokio_postgres::tls::{ChannelBinding, MakeTlsConnect, TlsConnect, TlsStream};
use tokio_postgres::{Config, Socket};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::error_codes::SqlstateStream;

/// The message SSLRequest: its length, and a number that is not a protocol version.
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];

type Tls = <MakeRustlsConnect as MakeTlsConnect<Socket>>::TlsConnect;
type Encrypted = <MakeRustlsConnect as MakeTlsConnect<Socket>>::Stream;

/// Creates the streams for one host, as the URL demands.
pub(super) struct Negotiator {
    /// The TLS configuration; `None` if connections are not encrypted.
    tls: Option<MakeRustlsConnect>,
    mode: SslMode,
    negotiation: SslNegotiation,
}

impl Negotiator {
    /// Takes over the TLS settings of `config`, so that this type decides about TLS and not the
    /// driver.
    pub(super) fn new(config: &mut Config, tls: Option<MakeRustlsConnect>) -> Self {
        let negotiator = Self {
            tls,
            mode: config.get_ssl_mode(),
            negotiation: config.get_ssl_negotiation(),
        };
        config
            .ssl_mode(SslMode::Require)
            .ssl_negotiation(SslNegotiation::Direct);
        negotiator
    }
}

/// A plain or encrypted stream to the server.
pub(super) enum Stream {
    Plain(Socket),
    Encrypted(Box<Encrypted>),
}

/// The negotiation of one connection.
pub(super) struct Negotiation {
    tls: Option<Tls>,
    mode: SslMode,
    negotiation: SslNegotiation,
}

impl MakeTlsConnect<Socket> for Negotiator {
    type Stream = SqlstateStream<Stream>;
    type TlsConnect = Negotiation;
    type Error = Infallible;

    fn make_tls_connect(&mut self, host: &str) -> Result<Negotiation, Infallible> {
        let make = <MakeRustlsConnect as MakeTlsConnect<Socket>>::make_tls_connect;
        let tls = self.tls.as_mut().map(|tls| make(tls, host));
        Ok(Negotiation {
            tls: tls.transpose()?,
            mode: self.mode,
            negotiation: self.negotiation,
        })
    }
}

impl TlsConnect<Socket> for Negotiation {
    type Stream = SqlstateStream<Stream>;
    type Error = io::Error;
    type Future = BoxFuture<'static, io::Result<SqlstateStream<Stream>>>;

    fn connect(self, socket: Socket) -> Self::Future {
        async move { Ok(SqlstateStream::new(self.negotiate(socket).await?)) }.boxed()
    }
}

impl Negotiation {
    async fn negotiate(self, mut socket: Socket) -> io::Result<Stream> {
        let Some(tls) = self.tls else {
            return Ok(Stream::Plain(socket));
        };
        if self.negotiation == SslNegotiation::Postgres {
            socket.write_all(&SSL_REQUEST).await?;
            // Read exactly one byte: any plain text after the answer would not come from the server
            // (a possible attack on the TLS start).
            match socket.read_u8().await? {
                b'S' => {}
                _ if self.mode == SslMode::Require => {
                    return Err(io::Error::other("server does not support TLS"));
                }
                _ => return Ok(Stream::Plain(socket)),
            }
        }
        Ok(Stream::Encrypted(Box::new(tls.connect(socket).await?)))
    }
}

/// Calls a method of whichever stream it is.
macro_rules! either {
    ($stream:expr, $method:ident, $($argument:expr),*) => {
        match $stream.get_mut() {
            Stream::Plain(socket) => Pin::new(socket).$method($($argument),*),
            Stream::Encrypted(stream) => Pin::new(&mut **stream).$method($($argument),*),
        }
    };
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        either!(self, poll_read, context, buffer)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        either!(self, poll_write, context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        either!(self, poll_flush, context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        either!(self, poll_shutdown, context)
    }
}

impl TlsStream for Stream {
    fn channel_binding(&self) -> ChannelBinding {
        match self {
            Self::Plain(_) => ChannelBinding::none(),
            Self::Encrypted(stream) => stream.channel_binding(),
        }
    }
}
