//! The HTTP server: listeners, limits and the layers around the handlers.
//!
//! It is an error if a listener cannot be bound. At shutdown, running requests are completed within
//! the shutdown timeout; then connections are closed.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::Server as Running;
use actix_web::middleware::from_fn;
use actix_web::web::ServiceConfig;
use actix_web::{App, web};

use super::backlog::Backlog;
use super::client_address::TrustedProxies;
use super::extract::body;
use super::limit::Limits;
use super::listen::serve;
use super::middleware::auth::Authenticator;
use super::middleware::close::close_on_shutdown;
use super::middleware::cors::{Origins, cors};
use super::middleware::edge::{RequestTimeout, Secure, edge};
use super::middleware::limit::limit_addresses;
use super::middleware::path_token::path_token;
use super::middleware::shed::{InFlightLimit, shed_load};
use super::page::ContentPolicy;
use super::routes;
use super::service::readiness::Probe;
use super::tls::ServerCertificate;
use crate::config::{Http, PageListener, Pages};
use crate::lifecycle::Shutdown;
use crate::telemetry::Metrics;
use crate::usecases::Broker;

/// A server that listens, and serves once its future is polled.
pub struct Server {
    /// A future that resolves when the server has stopped.
    pub running: Running,
    /// The address of the listener. If the port in the settings is 0, it has the port that the
    /// system chose.
    pub address: SocketAddr,
    backlog: Backlog,
}

impl Server {
    /// Serves until `stop` resolves. Then no new connections are established, those in the accept
    /// queue are accepted for at most `grace`, and running requests are completed.
    ///
    /// # Errors
    /// If the server fails.
    pub async fn serve(self, stop: impl Future<Output = ()>, grace: Duration) -> io::Result<()> {
        let Self {
            mut running,
            backlog,
            ..
        } = self;
        let handle = running.handle();
        let stopped = async {
            stop.await;
            backlog.drain(grace).await;
            handle.stop(true).await;
        };
        tokio::select! {
            result = &mut running => return result,
            () = stopped => {}
        }
        running.await
    }
}

/// What the main listener serves beside the pages that the settings assign to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Serves {
    /// The API and the health checks.
    Api,
    /// The health checks only.
    Health,
}

/// Starts to listen at `BROKER_BIND`, with TLS if there is a certificate.
///
/// # Errors
/// If the address cannot be bound.
pub fn main(
    serves: Serves,
    broker: Arc<Broker>,
    settings: &Http,
    certificate: Option<&Arc<ServerCertificate>>,
    shutdown: &Shutdown,
) -> io::Result<Server> {
    let origins = Origins::new(settings.cors_origins.clone(), &settings.cors_headers);
    let origins = web::Data::new(origins);
    let bodies = web::Data::new(body::Limits::new(
        settings.max_body_bytes,
        settings.max_batch_body_bytes,
        settings.request_timeout,
    ));
    let (clock, measured) = (broker.clock.clone(), Arc::clone(&broker.metrics));
    let limits = web::Data::new(Limits::new(&settings.rates, clock, measured));
    let proxies = web::Data::new(TrustedProxies::new(settings.rates.trusted_proxies.clone()));
    let timeout = web::Data::new(RequestTimeout(settings.request_timeout));
    let probe = web::Data::new(Probe::new(shutdown.clone()));
    let shutdown = web::Data::new(shutdown.clone());
    let metrics = web::Data::from(Arc::clone(&broker.metrics));
    let pages = settings.pages;
    let has_page = serves == Serves::Api && pages.web_page;
    let policy = has_page.then(|| web::Data::new(ContentPolicy::of(&broker)));
    let secure = web::Data::new(Secure(certificate.is_some()));
    let tracer = broker.observers.tracer.clone().map(web::Data::new);
    let reporter = broker.observers.reporter.clone().map(web::Data::new);
    let in_flight = web::Data::new(InFlightLimit::new(settings.max_in_flight));
    let app = move || {
        App::new()
            .app_data(web::Data::from(Arc::clone(&broker)))
            .app_data(web::Data::new(Authenticator::of(Arc::clone(&broker))))
            .app_data(metrics.clone())
            .app_data(origins.clone())
            .app_data(bodies.clone())
            .app_data(limits.clone())
            .app_data(proxies.clone())
            .app_data(timeout.clone())
            .app_data(probe.clone())
            .app_data(shutdown.clone())
            .app_data(in_flight.clone())
            .app_data(secure.clone())
            .app_data(web::Data::new(pages))
            .wrap(from_fn(shed_load))
            .wrap(from_fn(limit_addresses))
            .wrap(from_fn(cors))
            .wrap(from_fn(edge))
            .wrap(from_fn(path_token))
            .wrap(from_fn(close_on_shutdown))
            .configure(|config| {
                if let Some(policy) = &policy {
                    config.app_data(policy.clone());
                }
                if let Some(tracer) = &tracer {
                    config.app_data(tracer.clone());
                }
                if let Some(reporter) = &reporter {
                    config.app_data(reporter.clone());
                }
            })
            .configure(match serves {
                Serves::Api => routes::api,
                Serves::Health => routes::health,
            })
            .configure(move |config| {
                serve_pages(config, pages, |place| place == PageListener::Main)
            })
    };
    let listener = TcpListener::bind(settings.bind)?;
    let (address, backlog) = (listener.local_addr()?, Backlog::of(&listener)?);
    let tls = certificate.map(ServerCertificate::acceptor).transpose();
    let tls = tls.map_err(io::Error::other)?;
    let running = serve(listener, tls, settings, settings.workers, app)?;
    Ok(Server {
        running,
        address,
        backlog,
    })
}

/// Starts to listen at `bind` for the service pages that the settings assign to that address.
///
/// # Errors
/// If the address cannot be bound.
pub fn service_pages(
    metrics: Arc<Metrics>,
    settings: &Http,
    bind: SocketAddr,
) -> io::Result<Server> {
    let metrics = web::Data::from(metrics);
    let pages = settings.pages;
    let app = move || {
        App::new()
            .app_data(metrics.clone())
            .wrap(from_fn(edge))
            .configure(move |config| {
                serve_pages(config, pages, |place| place == PageListener::Separate(bind))
            })
    };
    let listener = TcpListener::bind(bind)?;
    let (address, backlog) = (listener.local_addr()?, Backlog::of(&listener)?);
    let running = serve(listener, None, settings, 1, app)?;
    Ok(Server {
        running,
        address,
        backlog,
    })
}

fn serve_pages(config: &mut ServiceConfig, pages: Pages, here: impl Fn(PageListener) -> bool) {
    if here(pages.metrics) {
        config.configure(routes::metrics);
    }
    if here(pages.docs) {
        config.configure(routes::docs);
    }
}
