//! Logs and metrics. A failure of either never affects the work that it observes.

pub mod log;
pub mod metrics;

pub use metrics::Metrics;
