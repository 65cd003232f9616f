//! One verb a file: the only place that opens a transaction or calls S3, and never the one inside
//! the other.
//!
//! Verbs of more than one step run to their end even when the caller hangs up (see
//! [`Tasks::run_to_end`](context::Tasks::run_to_end)): a dropped future would leave a transaction open on a pooled connection.

pub mod audit;
mod batching;
pub mod context;
pub mod datasets;
mod error;
mod faults;
pub mod identity;
mod ids;
mod lease_renewal;
pub mod maintenance;
mod may_have_written;
pub mod readiness;
pub mod tenants;
pub mod uploads;

pub use context::{Broker, Rules};
pub use error::{Dependency, Error, Outage, Result};
pub use uploads::session::{Session, SignedPut, Urls};
