//! The socket: accepts, serves, and stops within a bound.

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
use super::{cors, drain};

/// How long running requests may take once the server is told to stop.
const DRAIN: Duration = Duration::from_secs(10);
/// How long to wait when the process is out of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// A store that listens.
pub struct Server {
    listener: TcpListener,
    addr: SocketAddr,
    service: S3Service,
}

impl Server {
    pub(super) async fn bind(addr: SocketAddr, service: S3Service) -> Result<Self, Error> {
        let failed = |source| Error::Bind { addr, source };
        let listener = TcpListener::bind(addr).await.map_err(failed)?;
        let addr = listener.local_addr().map_err(failed)?;
        Ok(Self {
            listener,
            addr,
            service,
        })
    }

    /// Where it listens, with the real port.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.addr
    }

    /// Serves until `stop`, then closes the socket, lets running requests finish for ten seconds
    /// at most, and returns. What is cut off then leaves nothing visible.
    pub async fn run(self, stop: CancellationToken) {
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                accepted = self.listener.accept() => match accepted {
                    Ok((socket, _)) => {
                        connections.spawn(serve(socket, self.service.clone(), stop.clone()));
                    }
                    Err(error) => pause(&error).await,
                },
                Some(_) = connections.join_next() => {}
            }
        }
        drop(self.listener);
        let drained = async { while connections.join_next().await.is_some() {} };
        if tokio::time::timeout(DRAIN, drained).await.is_err() {
            log::warn!(target: "upload_broker::dev::s3", "cut off requests that ran too long");
            connections.shutdown().await;
        }
    }
}

/// A connection that died in the queue is not our fault; without descriptors, waiting helps.
async fn pause(error: &std::io::Error) {
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
        log::debug!(target: "upload_broker::dev::s3", "no TCP_NODELAY: {error}");
    }
    let answer = service_fn(move |req| {
        let service = service.clone();
        async move { Ok::<_, Infallible>(answer(&service, req).await) }
    });
    let mut server = http1::Builder::new();
    let connection = server
        .timer(TokioTimer::new())
        .serve_connection(TokioIo::new(socket), answer);
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        // Clients hang up all the time.
        log::debug!(target: "upload_broker::dev::s3", "connection ended: {error}");
    }
}

async fn answer(service: &S3Service, req: Request<Incoming>) -> HttpResponse {
    let mut response = if cors::is_preflight(&req) {
        cors::preflight(&req)
            .or_else(S3Error::to_http_response)
            .unwrap_or_else(|_| failed())
    } else {
        let (req, unread) = drain::lend(req);
        let answered = service.call(req.map(Body::http_body)).await;
        unread.discard().await;
        answered.unwrap_or_else(|error| {
            log::error!(target: "upload_broker::dev::s3", "s3s failed: {error:?}");
            failed()
        })
    };
    let id = Uuid::new_v4().simple().to_string().to_uppercase();
    if let Ok(id) = HeaderValue::from_str(&id) {
        response.headers_mut().insert("x-amz-request-id", id);
    }
    cors::open_to_all(response.headers_mut());
    response
}

fn failed() -> HttpResponse {
    let mut response = HttpResponse::new(Body::empty());
    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    response
}
