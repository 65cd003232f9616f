//! Connections to Postgres, single or pooled.
//!
//! Behaviour on faults:
//! - *Postgres restarts, or an administrator ends a session*: the broken connection is detected when
//!   it is taken from the pool, and replaced. A request that uses it at that moment fails with an
//!   error that says that Postgres is not reachable.
//! - *The peer disappears silently* (half-open connection): the kernel gives up within ten seconds,
//!   and a query without an answer ends its connection some time after its timeout (see
//!   `watchdog`).
//! - *Failover*: a server that does not accept writes is skipped, and the next host of the URL is
//!   tried. A pooled connection whose server has become read-only is detected by a query, which is
//!   sent after every error and otherwise every ten seconds, and is replaced.
//! - *All connections are in use*: a caller waits a limited time and then gets an error.

mod connections;
mod dedicated;
mod limits;
mod manager;
mod single;

pub use connections::{BuildError, Pool, PoolError, Pooled, build, is_exhausted};
pub use dedicated::{SessionError, ensure_dedicated_sessions};
pub use limits::PoolLimits;
pub use single::{ConnectError, connect};
