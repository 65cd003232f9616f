//! The span that the current task works under.

use std::future::Future;

use opentelemetry::trace::SpanContext;

use super::context::{RemoteContext, traceparent_of};
use super::tracer::Tracer;

tokio::task_local! {
    static CURRENT: Option<Scope>;
}

/// The span that some work belongs to: one of this process, or the span of a caller if this process
/// records none. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Scope {
    pub(super) context: SpanContext,
    /// Starts children; `None` if this process records no spans.
    pub(super) tracer: Option<Tracer>,
}

impl Scope {
    /// The scope of work for a caller that sent its context, if this process records no spans.
    pub fn of_caller(caller: RemoteContext) -> Self {
        let RemoteContext(context) = caller;
        Self {
            context,
            tracer: None,
        }
    }

    /// The value of `traceparent` for what this work causes.
    pub fn traceparent(&self) -> String {
        traceparent_of(&self.context)
    }
}

/// Runs `future` in a scope. Tasks that it spawns do not inherit it.
pub fn with_scope<F: Future>(scope: Option<Scope>, future: F) -> impl Future<Output = F::Output> {
    CURRENT.scope(scope, future)
}

/// The scope of the current task.
pub fn scope() -> Option<Scope> {
    CURRENT.try_with(Clone::clone).ok().flatten()
}

/// The value of `traceparent` for what the current task causes; `None` outside of a trace.
pub fn traceparent() -> Option<String> {
    read(Scope::traceparent)
}

/// The id of the trace that the current task belongs to, in hexadecimal digits.
pub fn trace_id() -> Option<String> {
    read(|scope| scope.context.trace_id().to_string())
}

/// The id of the span that the current task belongs to, in hexadecimal digits.
pub fn span_id() -> Option<String> {
    read(|scope| scope.context.span_id().to_string())
}

/// Reads the scope without a copy of it.
pub(super) fn read<T>(read: impl FnOnce(&Scope) -> T) -> Option<T> {
    let read = CURRENT.try_with(|scope| scope.as_ref().map(read));
    read.ok().flatten()
}
