//! Logs, metrics, traces and reports of faults. A failure of any of them never affects the work that
//! it observes.

pub mod log;
pub mod metrics;
mod outgoing;
pub mod reports;
pub mod trace;

pub use metrics::Metrics;
