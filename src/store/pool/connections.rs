//! The pool of connections.

use std::panic::Location;
use std::sync::{Arc, OnceLock};

use ::deadpool::managed::{self, TimeoutType};

use super::limits::PoolLimits;
use super::manager::Manager;
use super::single::ConnectError;
use crate::store::Connection;
use crate::store::hosts::Hosts;
use crate::telemetry::metrics::Metrics;
use crate::telemetry::trace::{self, Span};

/// No connection became available in time, or none could be opened.
pub type PoolError = managed::PoolError<ConnectError>;
/// The configuration of the pool is invalid.
pub type BuildError = managed::BuildError;

/// A pool of connections that all requests share. Cloning it is cheap.
#[derive(Clone)]
pub struct Pool {
    pub(super) connections: managed::Pool<Manager>,
    /// Set once it is known that every connection has a session of its own.
    pub(super) has_dedicated_sessions: Arc<OnceLock<()>>,
    metrics: Arc<Metrics>,
}

/// A connection from the pool. It is returned to the pool when dropped, and its span ends.
pub struct Pooled {
    connection: managed::Object<Manager>,
    _span: Span,
}

/// Creates a pool. It opens its connections on demand, on the runtime that this is called on.
///
/// # Errors
/// The configuration is invalid, which no setting can cause.
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
        has_dedicated_sessions: Arc::default(),
        metrics,
    })
}

impl Pool {
    /// Takes a connection from the pool, within its timeouts. The span of its use has the place of
    /// the caller in the source code.
    ///
    /// # Errors
    /// No connection became free in time ([`is_exhausted`]), or Postgres cannot be reached.
    #[track_caller]
    pub fn get(&self) -> impl Future<Output = Result<Pooled, PoolError>> + Send {
        self.get_for(Location::caller())
    }

    async fn get_for(&self, caller: &'static Location<'static>) -> Result<Pooled, PoolError> {
        let mut span = trace::client_span("Postgres");
        span.set("db.system.name", "postgresql");
        span.set("code.file.path", caller.file());
        span.set_number("code.line.number", caller.line());
        match self.connections.get().await {
            Ok(connection) => {
                span.event("connected");
                Ok(Pooled {
                    connection,
                    _span: span,
                })
            }
            Err(error) => {
                let is_exhausted = is_exhausted(&error);
                if is_exhausted {
                    self.metrics.pool.exhausted();
                }
                span.fail(if is_exhausted {
                    "pool-exhausted"
                } else {
                    "no-connection"
                });
                Err(error)
            }
        }
    }

    /// Updates the metrics with the number of connections and of waiting callers.
    pub fn observe(&self) {
        let status = self.connections.status();
        (self.metrics.pool).observe(status.size, status.available, status.waiting);
    }

    /// Closes the pool: it hands out no more connections.
    pub fn close(&self) {
        self.connections.close();
    }
}

impl std::ops::Deref for Pooled {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.connection.connection
    }
}

impl std::ops::DerefMut for Pooled {
    fn deref_mut(&mut self) -> &mut Connection {
        &mut self.connection.connection
    }
}

impl Drop for Pooled {
    fn drop(&mut self) {
        self.connection.watchdog.query_finished();
    }
}

/// Whether a caller waited in vain because all connections were in use.
pub fn is_exhausted(error: &PoolError) -> bool {
    matches!(error, PoolError::Timeout(TimeoutType::Wait))
}
