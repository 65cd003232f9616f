//! Accepts connections, serves requests, and stops within a time limit.

use std::convert::Infallible;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::header::HeaderValue;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use s3s::service::S3Service;
use s3s::{Body, HttpResponse, S3Error};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::errors::Error;
use super::options::Options;
use super::{cors, discard, store};

/// How long running requests may take after the server was asked to stop.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(10);
/// How long to wait after a failed accept, which may mean that the process has no file descriptor left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Opens the store, removes the leftovers of a crash, creates the buckets and binds the socket.
///
/// When this function returns, the port accepts connections. Their requests are processed once
/// [`Server::run`] runs.
///
/// # Errors
/// The folder cannot be used, another process has the store open, or the address is in use.
pub async fn start(options: Options) -> Result<Server, Error> {
    let bind = options.bind;
    let service = store::open(options).await?;
    Server::bind(bind, service).await
}

/// A store that listens on a socket.
pub struct Server {
    listener: TcpListener,
    addr: SocketAddr,
    service: S3Service,
}

impl Server {
    async fn bind(addr: SocketAddr, service: S3Service) -> Result<Self, Error> {
        let failed = |source| Error::Bind { addr, source };
        let listener = TcpListener::bind(addr).await.map_err(failed)?;
        let addr = listener.local_addr().map_err(failed)?;
        Ok(Self {
            listener,
            addr,
            service,
        })
    }

    /// Returns the address that the server listens on, with the real port.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.addr
    }

    /// Serves requests until `stop`, then closes the socket, waits at most ten seconds for running requests,
    /// and returns. A write that is cut off then leaves no visible object.
    pub async fn run(self, stop: CancellationToken) {
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                accepted = self.listener.accept() => match accepted {
                    Ok((socket, _)) => {
                        connections.spawn(serve(socket, self.service.clone(), stop.clone()));
                    }
                    Err(error) => pause_after(&error).await,
                },
                Some(_) = connections.join_next() => {}
            }
        }
        drop(self.listener);
        let drained = async { while connections.join_next().await.is_some() {} };
        if tokio::time::timeout(SHUTDOWN_TIMEOUT, drained)
            .await
            .is_err()
        {
            log::warn!(target: "upload_broker::dev::s3", "closed connections whose requests did not finish in time");
            connections.shutdown().await;
        }
    }
}

/// Waits after a failed accept, unless the error only concerns the connection that was accepted.
async fn pause_after(error: &std::io::Error) {
    if !matches!(
        error.kind(),
        ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset
    ) {
        log::warn!(target: "upload_broker::dev::s3", "cannot accept a connection: {error}");
        tokio::time::sleep(ACCEPT_PAUSE).await;
    }
}

async fn serve(socket: TcpStream, service: S3Service, stop: CancellationToken) {
    if let Err(error) = socket.set_nodelay(true) {
        log::debug!(target: "upload_broker::dev::s3", "cannot set TCP_NODELAY: {error}");
    }
    let service = service_fn(move |req| {
        let service = service.clone();
        async move { Ok::<_, Infallible>(respond(&service, req).await) }
    });
    let mut server = http1::Builder::new();
    let connection = server
        .timer(TokioTimer::new())
        .serve_connection(TokioIo::new(socket), service);
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        // This is normal: clients close connections at any time.
        log::debug!(target: "upload_broker::dev::s3", "connection ended: {error}");
    }
}

async fn respond(service: &S3Service, req: Request<Incoming>) -> HttpResponse {
    let mut response = if cors::is_preflight(&req) {
        cors::preflight(&req)
            .or_else(S3Error::to_http_response)
            .unwrap_or_else(|_| internal_server_error())
    } else {
        let (req, unread) = discard::split_body(req);
        let result = service.call(req.map(Body::http_body)).await;
        unread.discard().await;
        result.unwrap_or_else(|error| {
            log::error!(target: "upload_broker::dev::s3", "s3s failed: {error:?}");
            internal_server_error()
        })
    };
    let id = Uuid::new_v4().simple().to_string().to_uppercase();
    if let Ok(id) = HeaderValue::from_str(&id) {
        response.headers_mut().insert("x-amz-request-id", id);
    }
    cors::allow_any_origin(response.headers_mut());
    response
}

fn internal_server_error() -> HttpResponse {
    let mut response = HttpResponse::new(Body::empty());
    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    response
}
