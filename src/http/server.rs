//! The server: listeners, limits and the layers around every handler.
//!
//! A listener that cannot be bound is an error at once. What runs when the server is told to stop
//! is finished within the bound; then connections are cut.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::{Server as Running, ServerHandle};
use actix_web::middleware::from_fn;
use actix_web::{App, HttpServer, web};

use super::extract::body::Limits;
use super::middleware::auth::Gate;
use super::middleware::cors::{Origins, cors};
use super::middleware::edge::{Patience, edge};
use super::routes;
use super::service::readiness::Probe;
use crate::config::Http;
use crate::telemetry::Metrics;
use crate::usecases::Broker;

/// How long the head of a request may take to arrive; slow clients hold nothing for longer.
const HEAD_TIME: Duration = Duration::from_secs(10);
/// How long an idle connection is kept. Load balancers keep theirs for 60 s by default: the
/// client's side has to be the one that closes first.
const KEEP_ALIVE: Duration = Duration::from_secs(75);
/// Seconds by which the server is more patient than the process, so that one of them decides.
const PAST_THE_BOUND: u64 = 5;
/// How long a client may take to read the rest of an answer when we close.
const GOODBYE: Duration = Duration::from_secs(5);

/// A server that listens; it serves once its future is polled.
pub struct Server {
    /// Resolves when the server has stopped.
    pub running: Running,
    /// Where it listens: with port 0 in the settings, the port that the system chose.
    pub address: SocketAddr,
}

impl Server {
    /// Stops it: softly, or at once.
    pub fn handle(&self) -> ServerHandle {
        self.running.handle()
    }
}

/// Listens for the API.
///
/// # Errors
/// When the address cannot be bound.
pub fn api(broker: Arc<Broker>, settings: &Http) -> io::Result<Server> {
    let origins = web::Data::new(Origins::new(settings.cors_origins.clone()));
    let limits = web::Data::new(Limits::new(
        settings.max_body_bytes,
        settings.max_batch_body_bytes,
        settings.request_timeout,
    ));
    let patience = web::Data::new(Patience(settings.request_timeout));
    let probe = web::Data::new(Probe::default());
    let metrics = web::Data::from(Arc::clone(&broker.metrics));
    let metrics_here = settings.metrics_bind.is_none();
    let server = HttpServer::new(move || {
        let app = App::new()
            .app_data(web::Data::from(Arc::clone(&broker)))
            .app_data(web::Data::new(Gate::of(Arc::clone(&broker))))
            .app_data(metrics.clone())
            .app_data(origins.clone())
            .app_data(limits.clone())
            .app_data(patience.clone())
            .app_data(probe.clone())
            .wrap(from_fn(cors))
            .wrap(from_fn(edge))
            .configure(routes::api);
        if metrics_here {
            app.configure(routes::metrics)
        } else {
            app
        }
    });
    let server = server
        .workers(settings.workers)
        .client_request_timeout(HEAD_TIME)
        .client_disconnect_timeout(GOODBYE)
        .keep_alive(KEEP_ALIVE)
        // Longer than the bound of the stop, which the process keeps: what is cut off is named there.
        .shutdown_timeout(settings.shutdown.as_secs().saturating_add(PAST_THE_BOUND))
        .disable_signals();
    let server = server.bind(settings.bind)?;
    let address = first(&server.addrs(), settings.bind);
    let running = server.run();
    Ok(Server { running, address })
}

/// Listens for `/metrics` alone.
///
/// # Errors
/// When the address cannot be bound.
pub fn metrics(metrics: Arc<Metrics>, bind: SocketAddr) -> io::Result<Server> {
    let metrics = web::Data::from(metrics);
    let server = HttpServer::new(move || {
        App::new()
            .app_data(metrics.clone())
            .wrap(from_fn(edge))
            .configure(routes::metrics)
    });
    let server = server.workers(1).disable_signals().bind(bind)?;
    let address = first(&server.addrs(), bind);
    let running = server.run();
    Ok(Server { running, address })
}

fn first(addresses: &[SocketAddr], bind: SocketAddr) -> SocketAddr {
    addresses.first().copied().unwrap_or(bind)
}
