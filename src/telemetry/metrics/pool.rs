//! Connections to Postgres.

use prometheus::{IntGauge, Registry, Result};

use super::register::{int_gauge, signed};

/// Connections to Postgres.
#[derive(Debug)]
pub struct Pool {
    size: IntGauge,
    available: IntGauge,
    waiting: IntGauge,
}

impl Pool {
    pub(super) fn new(registry: &Registry) -> Result<Self> {
        let gauge = |name, help| int_gauge(registry, name, help);
        Ok(Self {
            size: gauge("db_pool_connections", "Open connections to Postgres.")?,
            available: gauge(
                "db_pool_available_connections",
                "Connections that nobody uses.",
            )?,
            waiting: gauge("db_pool_waiting_tasks", "Tasks that wait for a connection.")?,
        })
    }

    /// Tells the state of the pool.
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
