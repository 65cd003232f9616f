//! The loop that sends events to endpoints. It runs in any number of replicas.
//!
//! It polls periodically, and is woken when this process writes an event.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use diesel_async::AsyncConnection as _;
use futures::StreamExt as _;
use futures::future::join_all;
use futures::stream::FuturesUnordered;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, SemaphorePermit};
use tokio_util::sync::CancellationToken;

use super::client::Client;
use crate::clock::Clock;
use crate::lifecycle::backoff::Backoff;
use crate::notify::measure::measure_until;
use crate::notify::outcome::RelayError;
use crate::store::Connection;
use crate::store::lease::Lease;
use crate::store::pool::Pool;
use crate::store::webhooks::{self, Claim, ClaimedWebhook};
use crate::telemetry::metrics::Metrics;
use crate::telemetry::trace::Tracer;

/// The number of endpoints that a process works on at the same time, and as many again of those that
/// accept nothing at present. Each has at most four calls.
const MAX_ENDPOINTS: usize = 32;
/// How long a process works on an endpoint before it is the turn of another one. Calls that have
/// started by then are finished.
const MAX_WORK_TIME: Duration = Duration::from_secs(10);
/// The number of connections to Postgres that the work on endpoints uses at the same time.
const MAX_CONNECTIONS: usize = 4;
/// How often to look for due events.
const POLL_INTERVAL: Duration = Duration::from_secs(1);
/// The time for which wake-ups are collected.
const COLLECT_TIME: Duration = Duration::from_millis(20);
/// The back-off while Postgres is unavailable.
const BACKOFF: Backoff = Backoff::up_to(Duration::from_secs(15));
/// The waiting events of an endpoint are counted up to this number.
const MAX_COUNTED: i64 = 100_000;

/// How the places of a process are shared among endpoints.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The number of endpoints that are worked on at the same time, and as many again of those that
    /// accept nothing at present.
    pub endpoints: usize,
    /// How long an endpoint may start calls in one turn. At least one round is started.
    pub work_time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            endpoints: MAX_ENDPOINTS,
            work_time: MAX_WORK_TIME,
        }
    }
}

/// The loop and its dependencies.
pub struct WebhookRelay {
    pub(super) pool: Pool,
    pub(super) client: Client,
    pub(super) clock: Clock,
    pub(super) metrics: Arc<Metrics>,
    pub(super) limits: Limits,
    pub(super) tracer: Option<Tracer>,
    lease: Duration,
    wake: Arc<Notify>,
    healthy: Arc<Semaphore>,
    failing: Arc<Semaphore>,
    connections: Semaphore,
    /// Whether there was an enabled endpoint at the last measurement. Without one, the loop is not
    /// woken by events.
    has_endpoints: AtomicBool,
}

/// A leased endpoint, and its place among those that are worked on.
struct Claimed {
    webhook: ClaimedWebhook,
    lease: Lease,
    _place: Option<OwnedSemaphorePermit>,
}

impl WebhookRelay {
    /// Creates the loop. `lease` is the length of a lease that is not renewed, and `wake` is notified
    /// when this process has written an event.
    pub fn new(
        pool: Pool,
        client: Client,
        lease: Duration,
        clock: Clock,
        metrics: Arc<Metrics>,
        wake: Arc<Notify>,
        limits: Limits,
    ) -> Self {
        Self {
            pool,
            client,
            clock,
            metrics,
            limits,
            tracer: None,
            lease,
            wake,
            healthy: Arc::new(Semaphore::new(limits.endpoints)),
            failing: Arc::new(Semaphore::new(limits.endpoints)),
            connections: Semaphore::new(MAX_CONNECTIONS),
            has_endpoints: AtomicBool::new(false),
        }
    }

    /// Sets what starts the spans of events.
    #[must_use]
    pub fn with_tracer(self, tracer: Option<Tracer>) -> Self {
        Self { tracer, ..self }
    }

    /// Sends events until `stop`. Calls that have started are finished and recorded.
    pub async fn run(self, stop: CancellationToken) {
        tokio::join!(
            self.send_until(&stop),
            measure_until(&stop, "webhooks", || self.measure())
        );
    }

    /// Sends everything that is due at present to the endpoints that are free, and returns the number
    /// of these endpoints.
    ///
    /// # Errors
    /// Postgres is unavailable. A failure of an endpoint is recorded instead.
    pub async fn run_once(&self, stop: &CancellationToken) -> Result<usize, RelayError> {
        let claimed = self.claim().await?;
        let work = claimed
            .into_iter()
            .map(|claimed| self.work_on(claimed, stop));
        Ok(join_all(work).await.len())
    }

    /// Permits the caller to use a connection. It waits while the others are in use.
    pub(super) async fn acquire_connection_permit(&self) -> Option<SemaphorePermit<'_>> {
        // The semaphore is never closed.
        self.connections.acquire().await.ok()
    }

    async fn send_until(&self, stop: &CancellationToken) {
        let mut working = FuturesUnordered::new();
        let mut claims = pin!(self.next_claims(0, stop));
        loop {
            tokio::select! {
                next = &mut claims => {
                    let Some((claimed, failures)) = next else {
                        break;
                    };
                    for claimed in claimed {
                        working.push(self.work_on(claimed, stop));
                    }
                    claims.set(self.next_claims(failures, stop));
                }
                Some(()) = working.next() => {}
            }
        }
        while working.next().await.is_some() {}
    }

    async fn work_on(&self, claimed: Claimed, stop: &CancellationToken) {
        if self.work(claimed.webhook, &claimed.lease, stop).await {
            // Events that were written meanwhile did not find the endpoint free.
            self.wake.notify_one();
        }
    }

    /// Waits until there is something to send, and leases the endpoints that it is for. `failures` is
    /// the number of failures of Postgres in a row. Returns `None` after the stop.
    async fn next_claims(
        &self,
        mut failures: u32,
        stop: &CancellationToken,
    ) -> Option<(Vec<Claimed>, u32)> {
        while !stop.is_cancelled() {
            let wait = match self.claim().await {
                Ok(claimed) if claimed.is_empty() => {
                    failures = 0;
                    POLL_INTERVAL
                }
                Ok(claimed) => return Some((claimed, 0)),
                Err(error) => {
                    failures += 1;
                    let wait = BACKOFF.delay(failures);
                    log::warn!(
                        "webhooks: {error} (failure {failures} in a row, next try in {wait:.1?})"
                    );
                    wait
                }
            };
            let is_woken = failures == 0 && self.has_endpoints.load(Ordering::Relaxed);
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(wait) => {}
                () = self.wake.notified(), if is_woken => tokio::time::sleep(COLLECT_TIME).await,
            }
        }
        None
    }

    /// Leases endpoints that have something to send, as many as there are places for: all in one
    /// transaction, so that a failure leaves no lease behind that nothing works under.
    async fn claim(&self) -> Result<Vec<Claimed>, RelayError> {
        let classes = [(false, &self.healthy), (true, &self.failing)];
        if (classes.iter()).all(|(_, places)| places.available_permits() == 0) {
            return Ok(Vec::new());
        }
        let mut connection = self.pool.get().await?;
        let claimed = connection
            .transaction(async |connection| {
                let mut claimed = Vec::new();
                for (failing, places) in classes {
                    self.claim_class(connection, failing, places, &mut claimed)
                        .await?;
                }
                Ok::<_, crate::store::Error>(claimed)
            })
            .await?;
        Ok(claimed)
    }

    /// Leases failing endpoints or the others, as many as there are `places` for.
    async fn claim_class(
        &self,
        connection: &mut Connection,
        failing: bool,
        places: &Arc<Semaphore>,
        claimed: &mut Vec<Claimed>,
    ) -> crate::store::Result<()> {
        let free = places.available_permits();
        if free == 0 {
            return Ok(());
        }
        let lease = Lease::new(&self.clock, self.lease);
        let claim = Claim {
            failing,
            limit: i64::try_from(free).unwrap_or(i64::MAX),
            now: self.clock.now(),
        };
        let found = webhooks::claim(connection, &lease, &claim).await?;
        claimed.extend(found.into_iter().map(|webhook| Claimed {
            webhook,
            lease: lease.clone(),
            _place: Arc::clone(places).try_acquire_owned().ok(),
        }));
        Ok(())
    }

    /// Updates the gauges, and clears the secrets whose time is over.
    async fn measure(&self) -> Result<(), RelayError> {
        let mut connection = self.pool.get().await?;
        webhooks::forget_previous(&mut connection, self.clock.now()).await?;
        let found = webhooks::backlog(&mut connection, MAX_COUNTED).await?;
        self.has_endpoints
            .store(found.enabled > 0, Ordering::Relaxed);
        let age = (found.oldest).map(|at| (self.clock.now() - at).to_std().unwrap_or_default());
        let metrics = &self.metrics.webhooks;
        metrics.waiting(found.waiting, age);
        metrics.endpoints(found.enabled, found.disabled);
        Ok(())
    }
}
