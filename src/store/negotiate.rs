//! From a socket to a stream that speaks with Postgres: with or without TLS, and with the codes of
//! errors in their messages (see `error_codes`).
//!
//! The driver leaves a stream alone that is not encrypted. So it is configured to begin TLS at once,
//! and what begins then is decided here, as libpq does by `sslmode`.
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

use super::error_codes::Coded;

/// SSLRequest: its length, and the number that no version of the protocol has.
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];

type Tls = <MakeRustlsConnect as MakeTlsConnect<Socket>>::TlsConnect;
type Encrypted = <MakeRustlsConnect as MakeTlsConnect<Socket>>::Stream;

/// Makes streams as a URL says.
pub(super) struct Negotiator {
    /// What encrypts; nothing where nothing shall be.
    tls: Option<MakeRustlsConnect>,
    mode: SslMode,
    negotiation: SslNegotiation,
}

impl Negotiator {
    /// Takes the decision about TLS out of the driver's hands.
    pub(super) fn of(config: &mut Config, tls: Option<MakeRustlsConnect>) -> Self {
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

/// A stream to the server.
pub(super) enum Line {
    Plain(Socket),
    Encrypted(Box<Encrypted>),
}

/// One connection to be.
pub(super) struct Negotiation {
    tls: Option<Tls>,
    mode: SslMode,
    negotiation: SslNegotiation,
}

impl MakeTlsConnect<Socket> for Negotiator {
    type Stream = Coded<Line>;
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
    type Stream = Coded<Line>;
    type Error = io::Error;
    type Future = BoxFuture<'static, io::Result<Coded<Line>>>;

    fn connect(self, socket: Socket) -> Self::Future {
        async move { Ok(Coded::new(self.line(socket).await?)) }.boxed()
    }
}

impl Negotiation {
    async fn line(self, mut socket: Socket) -> io::Result<Line> {
        let Some(tls) = self.tls else {
            return Ok(Line::Plain(socket));
        };
        if self.negotiation == SslNegotiation::Postgres {
            socket.write_all(&SSL_REQUEST).await?;
            // Not a byte more: what follows the answer in plain text would not be the server's.
            match socket.read_u8().await? {
                b'S' => {}
                _ if self.mode == SslMode::Require => {
                    return Err(io::Error::other("server does not support TLS"));
                }
                _ => return Ok(Line::Plain(socket)),
            }
        }
        Ok(Line::Encrypted(Box::new(tls.connect(socket).await?)))
    }
}

/// Calls a method of either stream.
macro_rules! either {
    ($line:expr, $method:ident, $($argument:expr),*) => {
        match $line.get_mut() {
            Line::Plain(socket) => Pin::new(socket).$method($($argument),*),
            Line::Encrypted(stream) => Pin::new(&mut **stream).$method($($argument),*),
        }
    };
}

impl AsyncRead for Line {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        either!(self, poll_read, context, buffer)
    }
}

impl AsyncWrite for Line {
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

impl TlsStream for Line {
    fn channel_binding(&self) -> ChannelBinding {
        match self {
            Self::Plain(_) => ChannelBinding::none(),
            Self::Encrypted(stream) => stream.channel_binding(),
        }
    }
}
