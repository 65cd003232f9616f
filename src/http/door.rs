//! The first thing that a connection meets: the TLS handshake, where the settings ask for TLS.
//!
//! A handshake that does not end in the time of a head, or that fails, ends its connection; nobody
//! else waits for it.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use actix_web::rt::net::TcpStream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// How connections come in. Cheap to clone.
#[derive(Clone)]
pub struct Door {
    /// With TLS.
    pub tls: Option<TlsAcceptor>,
    /// How long a handshake may take.
    pub patience: Duration,
}

impl Door {
    /// Lets a connection in.
    ///
    /// # Errors
    /// A handshake that failed, or took too long.
    pub async fn enter(&self, socket: TcpStream) -> io::Result<Wire> {
        let Some(tls) = &self.tls else {
            return Ok(Wire::Plain(socket));
        };
        let entered = match timeout(self.patience, tls.accept(socket)).await {
            Ok(entered) => entered,
            Err(_) => Err(io::ErrorKind::TimedOut.into()),
        };
        entered
            .map(|stream| Wire::Tls(Box::new(stream)))
            .inspect_err(|error| log::debug!("a TLS handshake failed: {error}"))
    }
}

/// A connection's bytes.
pub enum Wire {
    /// As they are.
    Plain(TcpStream),
    /// Encrypted on their way.
    Tls(Box<TlsStream<TcpStream>>),
}

impl AsyncRead for Wire {
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

impl AsyncWrite for Wire {
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
