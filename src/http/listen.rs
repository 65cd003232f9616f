//! From a listener to the layers: connections, and how patient we are with those behind them.
//!
//! - A TLS handshake has the time of a head (`door`).
//! - A first head that does not arrive in time is answered with 408, and the connection is closed.
//! - A body has half of the time that its request has (`extract::body`).
//! - An answer that is not read, and a request that does not end, end their connection
//!   (`connection::patient`).
//! - A body that no handler read is read on within small bounds; requests behind the last one of a
//!   connection are not carried out; `100 Continue` waits for a handler (`connection`).
//! - An idle connection is closed after a while.
//! - Connections past the bound wait in the listener's queue until others end.
//!
//! This is what actix's own `HttpServer` does, with [`Patient`] between it and the socket and
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
use super::connection::patient::{Patient, Times};
use super::connection::service::{expect, respond};
use super::door::{Door, Wire};
use crate::config::Http;

/// How long a client may take to read the rest of an answer when we close.
const GOODBYE: Duration = Duration::from_secs(5);
/// Seconds by which the server is more patient than the process, so that one of them decides.
const PAST_THE_BOUND: u64 = 5;

/// A server of `workers` threads on `listener`, with TLS where `tls` says so. Signals are the process's own affair.
///
/// # Errors
/// When the listener cannot be used.
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
    // Longer than the bound of the stop, which the process keeps: what is cut off is named there.
    let stop = settings.shutdown.as_secs().saturating_add(PAST_THE_BOUND);
    let builder = Server::build()
        .workers(workers)
        .max_concurrent_connections(connections)
        .shutdown_timeout(stop)
        .disable_signals();
    let stopping = builder.graceful_shutdown_signal();
    let (head, idle) = (settings.head_timeout, settings.keep_alive);
    let times = Times {
        write: settings.write_timeout,
        answer: head.saturating_add(settings.request_timeout),
    };
    let door = Door {
        tls,
        patience: head,
    };
    let builder = builder.listen("http", listener, move || {
        let (stopping, door) = (stopping.clone(), door.clone());
        // The framework asks for the signal of a connection right after it has shown its socket.
        let shown = Rc::new(RefCell::new(Connection::default()));
        let latest = Rc::clone(&shown);
        let http = HttpService::build()
            .on_connect_ext(move |socket: &Patient<Wire>, data| {
                data.insert(socket.connection().clone());
                shown.replace(socket.connection().clone());
            })
            .graceful_shutdown_signal(move || {
                let (stopping, connection) = (stopping.clone(), latest.borrow().clone());
                async move {
                    tokio::select! {
                        () = stopping.notified() => {}
                        () = connection.wants_no_requests() => {}
                    }
                    connection.ignores_requests();
                }
            })
            .client_request_timeout(head)
            .client_disconnect_timeout(GOODBYE)
            .keep_alive(idle)
            .expect(fn_service(expect))
            .local_addr(address);
        let app = app()
            .into_factory()
            .map_err(|error| error.into().error_response());
        let app = map_config(app, |()| AppConfig::default());
        let http = http.h1(apply_fn_factory(app, respond::<_, B>));
        fn_service(move |socket: TcpStream| {
            let door = door.clone();
            async move {
                let peer = socket.peer_addr().ok();
                let wire = door.enter(socket).await.map_err(DispatchError::Io)?;
                Ok((Patient::new(wire, times), peer))
            }
        })
        .and_then(http)
    })?;
    Ok(builder.run())
}
