//! The tracer, which all parts of a process share.

use std::sync::Arc;

use opentelemetry_sdk::trace::SdkTracer;

/// Starts spans. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Tracer(Arc<SdkTracer>);

impl Tracer {
    pub(super) fn new(tracer: SdkTracer) -> Self {
        Self(Arc::new(tracer))
    }

    pub(super) fn sdk(&self) -> &SdkTracer {
        &self.0
    }
}
