//! The TLS handshake of new connections, if TLS is configured.
//!
//! A handshake that fails, or does not complete within the timeout of a request head, closes its
//! connection. Other connections do not wait for it.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use actix_web::rt::net::TcpStream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// How new connections are set up. Cheap to clone.
#[derive(Clone)]
pub struct Handshake {
    /// The TLS acceptor; `None` for plain TCP.
    pub tls: Option<TlsAcceptor>,
    /// The longest time that a handshake may take.
    pub timeout: Duration,
}

impl Handshake {
    /// Performs the handshake, if there is one.
    ///
    /// # Errors
    /// If the handshake fails or takes too long.
    pub async fn perform(&self, socket: TcpStream) -> io::Result<Transport> {
        let Some(tls) = &self.tls else {
            return Ok(Transport::Plain(socket));
        };
        let result = match timeout(self.timeout, tls.accept(socket)).await {
            Ok(result) => result,
            Err(_) => Err(io::ErrorKind::TimedOut.into()),
        };
        result
            .map(|stream| Transport::Tls(Box::new(stream)))
            .inspect_err(|error| log::debug!("a TLS handshake failed: {error}"))
    }
}

/// The byte stream of a connection.
pub enum Transport {
    /// Plain TCP.
    Plain(TcpStream),
    /// TLS over TCP.
    Tls(Box<TlsStream<TcpStream>>),
}

impl AsyncRead for Transport {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(io) => Pin::new(io).poll_read(context, buffer),
            Self::Tls(io) => Pin::new(io).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for Transport {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(io) => Pin::new(io).poll_write(context, bytes),
            Self::Tls(io) => Pin::new(io).poll_write(context, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(io) => Pin::new(io).poll_flush(context),
            Self::Tls(io) => Pin::new(io).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(io) => Pin::new(io).poll_shutdown(context),
            Self::Tls(io) => Pin::new(io).poll_shutdown(context),
        }
    }
}
