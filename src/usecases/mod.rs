//! One operation per file. Only this folder opens transactions and calls S3, and never one inside
//! the other.
//!
//! Operations with more than one step run to their end even if the caller disconnects (see
//! [`Tasks::run_to_end`](context::Tasks::run_to_end)): a future that is dropped would leave a
//! transaction open on a pooled connection.

pub mod audit;
mod batching;
pub mod context;
pub mod datasets;
pub mod documents;
mod error;
mod faults;
pub mod feed;
pub mod identity;
mod ids;
pub mod jobs;
mod lease_renewal;
pub mod maintenance;
mod may_have_written;
pub mod readiness;
pub mod tenants;
pub mod uploads;
pub mod uppy;
pub mod webhooks;

pub use context::{Broker, Rules};
pub use error::{Dependency, Error, Outage, Result};
pub use uploads::session::{Session, SignedPut, Urls};
