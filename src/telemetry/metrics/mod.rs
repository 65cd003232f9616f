//! Metrics in the text format of Prometheus.
//!
//! One [`Metrics`] a process, passed around in an `Arc`; nothing is global, so that tests do not
//! see each other's figures. Labels are bounded: a `&'static str` or an enum at the call site, a
//! route pattern instead of a path. Names begin with `upload_broker_` and end in their unit.

mod audit;
mod batches;
mod calls;
mod http;
mod janitor;
mod outbox;
mod pool;
mod process;
mod register;
mod s3_events;
mod stores;
#[cfg(test)]
mod tests;
mod uploads;

use chrono::{DateTime, Utc};
use prometheus::{Registry, TextEncoder};

pub use audit::Audit;
pub use batches::Batches;
pub use calls::{CallOutcome, S3Calls, SnsCalls};
pub use http::{Http, InFlight};
pub use janitor::Janitor;
pub use outbox::Outbox;
pub use pool::Pool;
pub use s3_events::S3Events;
pub use stores::Stores;
pub use uploads::Uploads;

/// The content type of [`Metrics::render`].
pub const CONTENT_TYPE: &str = prometheus::TEXT_FORMAT;

/// Everything that is measured.
#[derive(Debug)]
pub struct Metrics {
    /// Requests and refusals.
    pub http: Http,
    /// What became of uploads.
    pub uploads: Uploads,
    /// Writes that callers share.
    pub batches: Batches,
    /// Events on their way.
    pub outbox: Outbox,
    /// Calls of S3.
    pub s3: S3Calls,
    /// Calls of SNS.
    pub sns: SnsCalls,
    /// Connections to Postgres.
    pub pool: Pool,
    /// The loops that finish what was left, and compare what is there.
    pub janitor: Janitor,
    /// The audit, on its way to Postgres.
    pub audit: Audit,
    /// The store's own events.
    pub s3_events: S3Events,
    /// What the stores of buckets do.
    pub stores: Stores,
    process: process::Process,
    registry: Registry,
}

impl Metrics {
    /// All metrics at zero, for a process that started at `started`.
    ///
    /// # Errors
    /// When two metrics share a name, or a name is not one: faults of this folder, found by its
    /// tests.
    pub fn new(started: DateTime<Utc>) -> prometheus::Result<Self> {
        let registry = Registry::new();
        Ok(Self {
            http: Http::new(&registry)?,
            uploads: Uploads::new(&registry)?,
            batches: Batches::new(&registry)?,
            outbox: Outbox::new(&registry)?,
            s3: S3Calls::new(&registry)?,
            sns: SnsCalls::new(&registry)?,
            pool: Pool::new(&registry)?,
            janitor: Janitor::new(&registry)?,
            audit: Audit::new(&registry)?,
            s3_events: S3Events::new(&registry)?,
            stores: Stores::new(&registry)?,
            process: process::Process::new(&registry, started)?,
            registry,
        })
    }

    /// All metrics as Prometheus reads them. The memory of the process is read from the system
    /// now; the other figures are those last told.
    pub fn render(&self) -> String {
        self.process.refresh();
        let mut text = String::new();
        if let Err(fault) = TextEncoder::new().encode_utf8(&self.registry.gather(), &mut text) {
            ::log::error!("metrics cannot be shown: {fault}");
        }
        text
    }
}
