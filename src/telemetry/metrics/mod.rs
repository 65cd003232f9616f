//! Metrics in the text format of Prometheus.
//!
//! A process has one [`Metrics`], shared by an `Arc`. There is no global state, so that tests do
//! not affect each other. The number of label values is bounded: they are a `&'static str` or an
//! enum at the call site, and a route pattern instead of a path. Names start with `upload_broker_`
//! and end with their unit.

mod audit;
mod batches;
mod calls;
mod feed;
mod http;
mod janitor;
mod jobs;
mod outbox;
mod pool;
mod process;
mod register;
mod reports;
mod s3_events;
mod stores;
#[cfg(test)]
mod tests;
mod traces;
mod uploads;
mod webhooks;

use chrono::{DateTime, Utc};
use prometheus::{Registry, TextEncoder};

pub use audit::Audit;
pub use batches::Batches;
pub use calls::{CallOutcome, S3Calls, SnsCalls, TextractCalls};
pub use feed::Feed;
pub use http::{Http, InFlight};
pub use janitor::Janitor;
pub use jobs::Jobs;
pub use outbox::Outbox;
pub use pool::Pool;
pub use reports::{ReportOutcome, Reports};
pub use s3_events::S3Events;
pub use stores::Stores;
pub use traces::{SpanOutcome, Traces};
pub use uploads::Uploads;
pub use webhooks::Webhooks;

/// The content type of [`Metrics::render`].
pub const CONTENT_TYPE: &str = prometheus::TEXT_FORMAT;

/// All metrics of the process.
#[derive(Debug)]
pub struct Metrics {
    /// HTTP requests.
    pub http: Http,
    /// Uploads.
    pub uploads: Uploads,
    /// Statements that write the rows of several callers.
    pub batches: Batches,
    /// Events that are sent to SNS.
    pub outbox: Outbox,
    /// Calls to S3.
    pub s3: S3Calls,
    /// Calls to SNS.
    pub sns: SnsCalls,
    /// Calls to Textract.
    pub textract: TextractCalls,
    /// Connections to Postgres.
    pub pool: Pool,
    /// The loops of the janitor.
    pub janitor: Janitor,
    /// Jobs.
    pub jobs: Jobs,
    /// Audit rows on their way to Postgres.
    pub audit: Audit,
    /// S3 event notifications.
    pub s3_events: S3Events,
    /// The features of the stores.
    pub stores: Stores,
    /// Events that are sent to webhooks.
    pub webhooks: Webhooks,
    /// Live streams of events.
    pub feed: Feed,
    /// Spans of traces.
    pub traces: Traces,
    /// Reports of faults.
    pub reports: Reports,
    process: process::Process,
    registry: Registry,
}

impl Metrics {
    /// Creates all metrics with the value 0, for a process that was started at `started`.
    ///
    /// # Errors
    /// If two metrics have the same name, or a name is invalid. The tests of this folder rule that
    /// out.
    pub fn new(started: DateTime<Utc>) -> prometheus::Result<Self> {
        let registry = Registry::new();
        Ok(Self {
            http: Http::new(&registry)?,
            uploads: Uploads::new(&registry)?,
            batches: Batches::new(&registry)?,
            outbox: Outbox::new(&registry)?,
            s3: S3Calls::new(&registry)?,
            sns: SnsCalls::new(&registry)?,
            textract: TextractCalls::new(&registry)?,
            pool: Pool::new(&registry)?,
            janitor: Janitor::new(&registry)?,
            jobs: Jobs::new(&registry)?,
            audit: Audit::new(&registry)?,
            s3_events: S3Events::new(&registry)?,
            stores: Stores::new(&registry)?,
            webhooks: Webhooks::new(&registry)?,
            feed: Feed::new(&registry)?,
            traces: Traces::new(&registry)?,
            reports: Reports::new(&registry)?,
            process: process::Process::new(&registry, started)?,
            registry,
        })
    }

    /// Renders all metrics. The memory of the process is read from the system now; the other values
    /// are those that were recorded last.
    pub fn render(&self) -> String {
        self.process.refresh();
        let mut text = String::new();
        if let Err(fault) = TextEncoder::new().encode_utf8(&self.registry.gather(), &mut text) {
            ::log::error!("the metrics cannot be rendered: {fault}");
        }
        text
    }
}
