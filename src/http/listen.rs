//! Serves the application on a listener, with limits on connections and timeouts for clients.
//!
//! - A TLS handshake must complete within the timeout of a request head (`handshake`).
//! - If the first request head of a connection does not arrive in time, the response is a 408 and
//!   the connection is closed.
//! - A request body must arrive within half of the request timeout (`extract::body`).
//! - A client that does not read its response, or does not complete its request, loses its
//!   connection (`connection::timed_socket`).
//! - A body that the handler did not read is drained up to a small limit; requests after the last
//!   one of a connection are not processed; `100 Continue` is sent only when a handler reads the
//!   body (`connection`).
//! - An idle connection is closed after the keep-alive timeout.
//! - Connections over the limit wait in the accept queue until others close.
//!
//! This is what `HttpServer` of actix does, with [`TimedSocket`] between it and the socket, and
//! [`respond`] between it and the layers.

use std::cell::RefCell;
use std::fmt::Debug;
use std::io;
use std::net::TcpListener;
use std::rc::Rc;
use std::time::Duration;

use actix_http::error::DispatchError;
use actix_http::{HttpService, Request};
use actix_service::{
    IntoServiceFactory, ServiceFactory, ServiceFactoryExt as _, apply_fn_factory, map_config,
};
use actix_web::body::MessageBody;
use actix_web::dev::{AppConfig, Response, Server, fn_service};
use actix_web::rt::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use super::connection::Connection;
use super::connection::service::{expect, respond};
use super::connection::timed_socket::{TimedSocket, Timeouts};
use super::handshake::{Handshake, Transport};
use crate::config::Http;

/// The longest time that a client may take to read the rest of a response when the connection is
/// closed.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);
/// Seconds by which the shutdown timeout of the server exceeds that of the process, so that the
/// process always decides.
const SHUTDOWN_MARGIN_SECONDS: u64 = 5;

/// Starts a server with `workers` threads on `listener`, with TLS if `tls` is given. It does not
/// handle signals.
///
/// # Errors
/// If the listener cannot be used.
pub fn serve<F, I, S, B>(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    settings: &Http,
    workers: usize,
    app: F,
) -> io::Result<Server>
where
    F: Fn() -> I + Send + Clone + 'static,
    I: IntoServiceFactory<S, Request>,
    S: ServiceFactory<Request, Config = AppConfig> + 'static,
    S::Error: Into<actix_web::Error> + 'static,
    S::InitError: Debug,
    S::Response: Into<Response<B>> + 'static,
    B: MessageBody + 'static,
{
    let address = listener.local_addr()?;
    let connections = settings.max_connections.div_ceil(workers);
    // Longer than the shutdown timeout of the process, which logs the tasks that it aborts.
    let stop = settings
        .shutdown
        .as_secs()
        .saturating_add(SHUTDOWN_MARGIN_SECONDS);
    let builder = Server::build()
        .workers(workers)
        .max_concurrent_connections(connections)
        .shutdown_timeout(stop)
        .disable_signals();
    let stopping = builder.graceful_shutdown_signal();
    let (head, idle) = (settings.head_timeout, settings.keep_alive);
    let timeouts = Timeouts {
        write: settings.write_timeout,
        answer: head.saturating_add(settings.request_timeout),
    };
    let handshake = Handshake { tls, timeout: head };
    let builder = builder.listen("http", listener, move || {
        let (stopping, handshake) = (stopping.clone(), handshake.clone());
        // The framework requests the shutdown signal of a connection right after it has called
        // `on_connect_ext` with its socket.
        let current = Rc::new(RefCell::new(Connection::default()));
        let latest = Rc::clone(&current);
        let http = HttpService::build()
            .on_connect_ext(move |socket: &TimedSocket<Transport>, data| {
                data.insert(socket.connection().clone());
                current.replace(socket.connection().clone());
            })
            .graceful_shutdown_signal(move || {
                let (stopping, connection) = (stopping.clone(), latest.borrow().clone());
                async move {
                    tokio::select! {
                        () = stopping.notified() => {}
                        () = connection.stop_requested() => {}
                    }
                    connection.set_stopped();
                }
            })
            .client_request_timeout(head)
            .client_disconnect_timeout(CLOSE_TIMEOUT)
            .keep_alive(idle)
            .expect(fn_service(expect))
            .local_addr(address);
        let app = app()
            .into_factory()
            .map_err(|error| error.into().error_response());
        let app = map_config(app, |()| AppConfig::default());
        let http = http.h1(apply_fn_factory(app, respond::<_, B>));
        fn_service(move |socket: TcpStream| {
            let handshake = handshake.clone();
            async move {
                let peer = socket.peer_addr().ok();
                let transport = handshake.perform(socket).await.map_err(DispatchError::Io)?;
                Ok((TimedSocket::new(transport, timeouts), peer))
            }
        })
        .and_then(http)
    })?;
    Ok(builder.run())
}
