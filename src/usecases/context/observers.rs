//! What observes the work of the broker, besides the log and the metrics.

use crate::telemetry::reports::Reporter;
use crate::telemetry::trace::Tracer;

/// What observes the work of the broker. By default nothing does.
#[derive(Clone, Debug, Default)]
pub struct Observers {
    /// Records traces.
    pub tracer: Option<Tracer>,
    /// Reports faults.
    pub reporter: Option<Reporter>,
}
