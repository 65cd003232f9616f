//! Logs and metrics. A fault in either never fails the work that it watches.

pub mod log;
pub mod metrics;

pub use metrics::Metrics;
