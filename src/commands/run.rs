//! A broker's life: its loops, and the order in which they stop.

use std::error::Error as _;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::assemble::{AssembleError, Assembly};
use crate::clock::Clock;
use crate::config::{Audit, Auth, Settings};
use crate::http::tls::ServerCertificate;
use crate::lifecycle::{Hangups, Shutdown};
use crate::usecases::Broker;
use crate::usecases::maintenance::abilities;
use crate::{audit, http, janitor};

/// How often gauges that nobody pushes are read.
const GAUGES_EVERY: Duration = Duration::from_secs(5);

impl Assembly {
    /// Runs until a signal or a fault, then stops in order: `/readyz` says no, no new connections are
    /// made, those that are made are accepted, what runs is finished, within the bound of the
    /// settings. `ready` is told where it listens.
    pub async fn run(
        self,
        settings: &Settings,
        shutdown: &Shutdown,
        ready: impl FnOnce(SocketAddr),
    ) -> Result<ExitCode, AssembleError> {
        let Self {
            broker,
            relay,
            reader,
        } = self;
        // Not a fault yet: they may come with time. Until then S3 is not ready either.
        if let Err(error) = broker.stores.credentials.get(broker.clock.now()).await {
            log::warn!("no AWS credentials: {error}");
        }
        let identity = settings.http.tls.as_ref().map(ServerCertificate::load);
        let identity = identity.transpose()?;
        if let Some(identity) = &identity {
            identity.warn(broker.clock.now());
        }
        let (listen, tls) = (&settings.http, identity.as_ref());
        let server = http::server::api(Arc::clone(&broker), listen, tls, shutdown)
            .map_err(listening(listen.bind, "BROKER_BIND"))?;
        let address = server.address;
        // Every address is ours before anything runs.
        for (bind, variable) in listen.pages.listeners() {
            let server = http::server::service_pages(Arc::clone(&broker.metrics), listen, bind)
                .map_err(listening(bind, variable))?;
            log::info!("listening for pages on http://{}", server.address);
            let bound = listen.shutdown;
            let serving = serve(server, shutdown.clone(), Duration::ZERO, bound);
            shutdown.spawn("pages", serving);
        }
        if let Some(identity) = identity.clone() {
            let hangups = Hangups::new().map_err(AssembleError::Signals)?;
            let renewals = renew(identity, broker.clock.clone(), hangups, shutdown.clone());
            shutdown.spawn("certificate", renewals);
        }
        let (delay, bound) = (settings.http.stop_delay, settings.http.shutdown);
        let over = CancellationToken::new();
        let until_over = over.clone().drop_guard();
        shutdown.spawn(
            "audit",
            audit::run(Arc::clone(&broker), over, shutdown.token()),
        );
        let (served, stop) = (Arc::clone(&broker), shutdown.clone());
        shutdown.spawn("http", async move {
            // However it ends: from then on nobody does anything that the audit has to tell.
            let _until_over = until_over;
            serve_api(server, served, stop, delay, bound).await
        });
        shutdown.spawn("relay", relay.run(shutdown.token()));
        if let Some(reader) = reader {
            shutdown.spawn("s3 events", reader.run(shutdown.token()));
        }
        let period = settings.janitor.period;
        shutdown.spawn(
            "janitor",
            janitor::run(Arc::clone(&broker), period, shutdown.token()),
        );
        if let Some(sweeps) = janitor::SweepLoop::from_settings(&settings.janitor) {
            shutdown.spawn("sweep", sweeps.run(Arc::clone(&broker), shutdown.token()));
        }
        if let Some(walks) = janitor::StaleMultipartLoop::from_settings(&settings.janitor) {
            let walks = walks.run(Arc::clone(&broker), shutdown.token());
            shutdown.spawn("stale multipart uploads", walks);
        }
        let stores = janitor::probe_stores(Arc::clone(&broker), shutdown.token());
        shutdown.spawn("stores", stores);
        shutdown.spawn("gauges", gauges(Arc::clone(&broker), shutdown.clone()));
        if settings.auth == Auth::Off {
            log::warn!("BROKER_AUTH=off: every caller on this machine may do everything");
        }
        if settings.audit == Audit::Off {
            log::warn!("BROKER_AUDIT=off: what callers do is not written down");
        }
        let scheme = if identity.is_some() { "https" } else { "http" };
        log::info!("listening on {scheme}://{address}");
        ready(address);
        shutdown.stopping().await;
        let outcome = shutdown.wait(settings.http.shutdown).await;
        Ok(outcome.exit_code())
    }
}

/// A failed bind, with the setting to look at.
fn listening(
    address: SocketAddr,
    variable: &'static str,
) -> impl FnOnce(std::io::Error) -> AssembleError {
    move |source| AssembleError::Listen {
        address,
        variable,
        source,
    }
}

/// Serves until the stop, then finishes the requests that run, and the verbs that outlived their
/// callers: a lost answer is no lost work. Both share the bound of the stop.
async fn serve_api(
    server: http::server::Server,
    broker: Arc<Broker>,
    shutdown: Shutdown,
    delay: Duration,
    bound: Duration,
) -> std::io::Result<()> {
    serve(server, shutdown, delay, bound).await?;
    broker.tasks.all.close();
    broker.tasks.all.wait().await;
    Ok(())
}

/// Serves until the stop and its delay, then finishes the requests that run. The first half of what
/// is left of the stop's bound is for connections that were made and not accepted yet.
async fn serve(
    server: http::server::Server,
    shutdown: Shutdown,
    delay: Duration,
    bound: Duration,
) -> std::io::Result<()> {
    let stop = async {
        shutdown.stopping().await;
        tokio::time::sleep(delay).await;
    };
    server.serve(stop, bound.saturating_sub(delay) / 2).await
}

/// At every SIGHUP, reads certificate and key anew.
async fn renew(
    identity: Arc<ServerCertificate>,
    clock: Clock,
    mut hangups: Hangups,
    shutdown: Shutdown,
) {
    loop {
        tokio::select! {
            () = shutdown.stopping() => return,
            () = hangups.next() => {}
        }
        let files = Arc::clone(&identity);
        let read = tokio::task::spawn_blocking(move || files.reload()).await;
        match read {
            Ok(Ok(())) => {
                log::info!("SIGHUP: the certificate was read anew");
                identity.warn(clock.now());
            }
            Ok(Err(error)) => {
                let cause = error.source().map(|cause| format!(": {cause}"));
                let cause = cause.unwrap_or_default();
                log::error!("SIGHUP: the certificate stays the old one: {error}{cause}");
            }
            Err(died) => log::error!("SIGHUP: the certificate stays the old one: {died}"),
        }
    }
}

async fn gauges(broker: Arc<Broker>, shutdown: Shutdown) {
    while !shutdown.is_stopping() {
        broker.connections.pool.observe();
        abilities::observe(&broker);
        tokio::select! {
            () = shutdown.stopping() => {}
            () = tokio::time::sleep(GAUGES_EVERY) => {}
        }
    }
}
