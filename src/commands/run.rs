//! Runs the components of a broker, and stops them in order.

use std::error::Error as _;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::after_schema::AfterSchema;
use super::assemble::{AssembleError, Assembly};
use super::observers::report_failures;
use crate::clock::Clock;
use crate::config::{self, Audit, Auth, Role, Settings};
use crate::http::server::Serves;
use crate::http::tls::ServerCertificate;
use crate::lifecycle::{Hangups, Shutdown};
use crate::usecases::Broker;
use crate::usecases::maintenance::abilities;
use crate::{audit, feed, http, janitor};

/// How often gauges are updated that are not updated by events.
const GAUGE_INTERVAL: Duration = Duration::from_secs(5);

impl Assembly {
    /// Runs until a signal or a failure, then stops in order: `/readyz` fails, no new connections
    /// are opened, pending ones are accepted, and what is running is finished within the shutdown
    /// timeout. `ready` is called with the address of the API listener.
    pub async fn run(
        mut self,
        settings: &Settings,
        shutdown: &Shutdown,
        ready: impl FnOnce(SocketAddr),
    ) -> Result<ExitCode, AssembleError> {
        report_failures(shutdown, self.broker.observers.reporter.as_ref());
        let senders = std::mem::take(&mut self.senders);
        // What the last tasks recorded is sent after they have ended.
        senders
            .run_during(self.run_parts(settings, shutdown, ready))
            .await
    }

    async fn run_parts(
        self,
        settings: &Settings,
        shutdown: &Shutdown,
        ready: impl FnOnce(SocketAddr),
    ) -> Result<ExitCode, AssembleError> {
        let Self {
            broker,
            relay,
            webhooks,
            reader,
            worker,
            senders: _,
        } = self;
        // Not a failure yet: credentials may become available later. Until then, the readiness
        // check of S3 fails.
        if let Err(error) = broker.stores.credentials.get(broker.clock.now()).await {
            log::warn!("no AWS credentials: {error}");
        }
        let identity = settings.http.tls.as_ref().map(ServerCertificate::load);
        let identity = identity.transpose()?;
        if let Some(identity) = &identity {
            identity.warn(broker.clock.now());
        }
        let (listen, tls) = (&settings.http, identity.as_ref());
        let roles = &settings.roles;
        let serves = match roles.has(Role::Http) {
            true => Serves::Api,
            false => Serves::Health,
        };
        let server = http::server::main(serves, Arc::clone(&broker), listen, tls, shutdown)
            .map_err(bind_error(listen.bind, "BROKER_BIND"))?;
        let address = server.address;
        // All addresses are bound before anything runs.
        for (bind, variable) in listen.pages.listeners() {
            let server = http::server::service_pages(Arc::clone(&broker.metrics), listen, bind)
                .map_err(bind_error(bind, variable))?;
            log::info!("serving pages on http://{}", server.address);
            let bound = listen.shutdown;
            let serving = serve(server, shutdown.clone(), Duration::ZERO, bound);
            shutdown.spawn("pages", serving);
        }
        if let Some(identity) = identity.clone() {
            let hangups = Hangups::new().map_err(AssembleError::Signals)?;
            let reloads =
                reload_on_hangup(identity, broker.clock.clone(), hangups, shutdown.clone());
            shutdown.spawn("certificate", reloads);
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
            // However the server ends, no caller can do anything afterwards that has to be in the
            // audit.
            let _until_over = until_over;
            serve_api(server, served, stop, delay, bound).await
        });
        let after_schema = AfterSchema::new(&broker, settings.database.migrate, shutdown);
        if roles.has(Role::Relay) {
            after_schema.spawn("relay", relay.run(shutdown.token()));
            after_schema.spawn("webhooks", webhooks.run(shutdown.token()));
        }
        if let Some(reader) = reader.filter(|_| roles.has(Role::Events)) {
            after_schema.spawn("s3 events", reader.run(shutdown.token()));
        }
        if let Some(worker) = worker {
            after_schema.spawn("worker", worker.run(shutdown.token()));
        }
        if roles.has(Role::Janitor) {
            spawn_janitor(&broker, &settings.janitor, &after_schema, shutdown);
        }
        if roles.has(Role::Http) {
            let feed = feed::run(Arc::clone(&broker), shutdown.token());
            after_schema.spawn("event feed", feed);
        }
        let stores = janitor::probe_stores(Arc::clone(&broker), shutdown.token());
        after_schema.spawn("stores", stores);
        shutdown.spawn(
            "gauges",
            update_gauges(Arc::clone(&broker), shutdown.clone()),
        );
        if settings.auth == Auth::Off {
            log::warn!("BROKER_AUTH=off: every caller on this machine has all rights");
        }
        if settings.audit == Audit::Off {
            log::warn!("BROKER_AUDIT=off: the actions of callers are not recorded");
        }
        log::info!("roles of this process: {roles}");
        let scheme = if identity.is_some() { "https" } else { "http" };
        log::info!("listening on {scheme}://{address}");
        ready(address);
        shutdown.stopping().await;
        let outcome = shutdown.wait(settings.http.shutdown).await;
        Ok(outcome.exit_code())
    }
}

/// Starts the janitor, and its arrival checks, its sweeps and its checks for stale multipart uploads
/// where they are enabled.
fn spawn_janitor(
    broker: &Arc<Broker>,
    settings: &config::Janitor,
    after_schema: &AfterSchema<'_>,
    shutdown: &Shutdown,
) {
    let rounds = janitor::run(Arc::clone(broker), settings.period, shutdown.token());
    after_schema.spawn("janitor", rounds);
    if let Some(checks) = janitor::ArrivalLoop::from_settings(settings) {
        let checks = checks.run(Arc::clone(broker), shutdown.token());
        after_schema.spawn("arrival checks", checks);
    }
    if let Some(sweeps) = janitor::SweepLoop::from_settings(settings) {
        after_schema.spawn("sweep", sweeps.run(Arc::clone(broker), shutdown.token()));
    }
    if let Some(checks) = janitor::StaleMultipartLoop::from_settings(settings) {
        let checks = checks.run(Arc::clone(broker), shutdown.token());
        after_schema.spawn("stale multipart uploads", checks);
    }
}

/// The error for an address that cannot be bound, with the setting that configures it.
fn bind_error(
    address: SocketAddr,
    variable: &'static str,
) -> impl FnOnce(std::io::Error) -> AssembleError {
    move |source| AssembleError::Listen {
        address,
        variable,
        source,
    }
}

/// Serves until the stop, then finishes the running requests and the operations whose callers have
/// disconnected: a lost response must not mean lost work. Both share the shutdown timeout.
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

/// Serves until the stop and its delay, then finishes the running requests. The first half of the
/// remaining shutdown timeout is for connections that clients have opened but that are not accepted
/// yet.
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

/// Reloads the certificate and its key at every SIGHUP.
async fn reload_on_hangup(
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
                log::info!("SIGHUP: reloaded the certificate");
                identity.warn(clock.now());
            }
            Ok(Err(error)) => {
                let cause = error.source().map(|cause| format!(": {cause}"));
                let cause = cause.unwrap_or_default();
                log::error!("SIGHUP: keeping the old certificate: {error}{cause}");
            }
            Err(died) => log::error!("SIGHUP: keeping the old certificate: {died}"),
        }
    }
}

async fn update_gauges(broker: Arc<Broker>, shutdown: Shutdown) {
    while !shutdown.is_stopping() {
        broker.connections.pool.observe();
        abilities::observe(&broker);
        tokio::select! {
            () = shutdown.stopping() => {}
            () = tokio::time::sleep(GAUGE_INTERVAL) => {}
        }
    }
}
