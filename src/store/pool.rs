//! Connections to Postgres.
//!
//! What happens on a fault:
//! - *Restarted, or a session ended by its administrator*: the dead connection is noticed when it
//!   is taken from the pool and replaced. Who uses it in that very moment hears that Postgres is
//!   away.
//! - *Gone without a word* (half-open): the kernel gives up within ten seconds, and a
//!   query that has no answer a while after its time limit ends its connection (see `watch`).
//! - *Failed over*: a server that does not take writes is not connected to, the next host of the
//!   URL is; a pooled connection whose server became read-only is found out by a question after
//!   any error, and every ten seconds otherwise, and replaced.
//! - *All connections in use*: a caller waits a bounded time and is then told so.

mod sessions;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use ::deadpool::managed::{self, TimeoutType};
use diesel::ConnectionResult;

use super::Connection;
use super::hosts::Hosts;
use super::session::Manager;
use super::watchdog::Watchdog;
use crate::telemetry::metrics::Metrics;

pub use sessions::{SessionError, ensure_dedicated_sessions};

/// No connection could be had in time.
pub type PoolError = managed::PoolError<ConnectError>;
/// The pool's own settings are at fault.
pub type BuildError = managed::BuildError;
/// Postgres cannot be reached, or refuses us.
pub type ConnectError = diesel::ConnectionError;

/// How long a command waits for its connection.
const COMMAND: Duration = Duration::from_secs(30);

/// Connections, shared by every request. Cheap to clone.
#[derive(Clone)]
pub struct Pool {
    connections: managed::Pool<Manager>,
    /// Set once it is known that connections have sessions of their own.
    own_sessions: Arc<OnceLock<()>>,
    metrics: Arc<Metrics>,
}

/// A connection out of the pool; it goes back when dropped.
pub struct Pooled(managed::Object<Manager>);

/// How many connections, and how patient.
#[derive(Clone, Copy, Debug)]
pub struct PoolLimits {
    /// Connections at most.
    pub size: usize,
    /// To make a connection, over all hosts.
    pub connect_timeout: Duration,
    /// To wait for one that is free.
    pub wait_timeout: Duration,
    /// For one statement.
    pub statement_timeout: Duration,
}

/// A pool. Connects when first asked; its connections live on the runtime that this is called on.
///
/// # Errors
/// None that settings could cause.
pub fn build(
    database_url: &str,
    limits: PoolLimits,
    metrics: Arc<Metrics>,
) -> Result<Pool, BuildError> {
    let manager = Manager::new(Hosts::new(database_url), limits);
    let connections = managed::Pool::builder(manager)
        .max_size(limits.size)
        .wait_timeout(Some(limits.wait_timeout))
        .create_timeout(Some(limits.connect_timeout))
        .recycle_timeout(Some(limits.connect_timeout))
        .runtime(::deadpool::Runtime::Tokio1)
        .build()?;
    Ok(Pool {
        connections,
        own_sessions: Arc::default(),
        metrics,
    })
}

impl Pool {
    /// A connection, within the limits.
    ///
    /// # Errors
    /// When none came free in time ([`is_exhausted`]), or Postgres cannot be reached.
    pub async fn get(&self) -> Result<Pooled, PoolError> {
        let got = self.connections.get().await;
        if got.as_ref().is_err_and(is_exhausted) {
            self.metrics.pool.exhausted();
        }
        got.map(Pooled)
    }

    /// Tells how many connections there are, and who waits.
    pub fn observe(&self) {
        let status = self.connections.status();
        (self.metrics.pool).observe(status.size, status.available, status.waiting);
    }

    /// Closes it: no connection is handed out any more.
    pub fn close(&self) {
        self.connections.close();
    }
}

impl std::ops::Deref for Pooled {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.0.connection
    }
}

impl std::ops::DerefMut for Pooled {
    fn deref_mut(&mut self) -> &mut Connection {
        &mut self.0.connection
    }
}

impl Drop for Pooled {
    fn drop(&mut self) {
        self.0.watch.idle();
    }
}

/// Whether every connection was in use for as long as a caller waits.
pub fn is_exhausted(error: &PoolError) -> bool {
    matches!(error, PoolError::Timeout(TimeoutType::Wait))
}

/// One connection outside any pool, without the session's time limits: for commands.
///
/// # Errors
/// When no host of the URL can be reached, lets us in and takes writes.
pub async fn connect(database_url: &str) -> ConnectionResult<Connection> {
    let watch = Watchdog::new(None);
    Hosts::new(database_url).connect(COMMAND, &watch).await
}
