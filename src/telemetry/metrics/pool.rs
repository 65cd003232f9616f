//! Metrics of the connection pool.

use prometheus::{IntCounter, IntGauge, Registry, Result};

use super::register::{counter, int_gauge, signed};

/// Connections to Postgres.
#[derive(Debug)]
pub struct Pool {
    size: IntGauge,
    available: IntGauge,
    waiting: IntGauge,
    exhausted: IntCounter,
}

impl Pool {
    pub(super) fn new(registry: &Registry) -> Result<Self> {
        let gauge = |name, help| int_gauge(registry, name, help);
        Ok(Self {
            size: gauge("db_pool_connections", "Open connections to Postgres.")?,
            available: gauge(
                "db_pool_available_connections",
                "Idle connections to Postgres.",
            )?,
            waiting: gauge(
                "db_pool_waiting_tasks",
                "Tasks that are waiting for a connection to Postgres.",
            )?,
            exhausted: counter(
                registry,
                "db_pool_exhausted_total",
                "Requests for a connection to Postgres that timed out.",
            )?,
        })
    }

    /// Counts a request for a connection that timed out.
    pub fn exhausted(&self) {
        self.exhausted.inc();
    }

    /// Sets the state of the pool.
    pub fn observe(&self, size: usize, available: usize, waiting: usize) {
        for (gauge, count) in [
            (&self.size, size),
            (&self.available, available),
            (&self.waiting, waiting),
        ] {
            gauge.set(signed(u64::try_from(count).unwrap_or(u64::MAX)));
        }
    }
}
