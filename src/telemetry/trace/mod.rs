//! Traces: what the process does for a request, as spans of OpenTelemetry.
//!
//! There is no global state. A [`Tracer`] starts the span of a request, or of an event that the
//! relay sends. While its future runs ([`with_scope`]), [`client_span`] and [`internal_span`] find
//! it in a variable of the task, and start its children. Without a scope they do nothing, so that
//! the code that they are in costs no allocation if traces are off, or in a loop that polls.
//!
//! A caller may send its own trace context (W3C Trace Context, <https://www.w3.org/TR/trace-context/>).
//! It is the parent of the span of the request. It is kept if traces are off too: then log lines and
//! events have the trace of the caller.
//!
//! Ended spans are put into a queue of limited length, and one task sends them ([`Exporter`]). A
//! receiver that is slow, or not there, delays no request: spans that do not fit are dropped and
//! counted.
//!
//! A span never contains a secret: its attributes are the names of operations, patterns of routes,
//! ids, tenants and numbers, and no paths, queries, headers or messages of errors.

mod build;
mod context;
mod current;
mod export;
mod options;
mod queue;
mod send;
mod span;
mod start;
mod tracer;

pub use build::build;
pub use context::RemoteContext;
pub use current::{Scope, scope, span_id, trace_id, traceparent, with_scope};
pub use export::Exporter;
pub use opentelemetry::trace::SpanKind;
pub use options::{Endpoint, Options};
pub use send::BuildError;
pub use span::Span;
pub use start::{aws_span, client_span, internal_span, linked_span};
pub use tracer::Tracer;
