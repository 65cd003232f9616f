//! Limits of a pool.

use std::time::Duration;

/// The size and the timeouts of a pool.
#[derive(Clone, Copy, Debug)]
pub struct PoolLimits {
    /// The largest number of connections.
    pub size: usize,
    /// How long opening a connection may take, over all hosts.
    pub connect_timeout: Duration,
    /// How long a caller waits for a free connection.
    pub wait_timeout: Duration,
    /// How long one statement may take.
    pub statement_timeout: Duration,
}
