//! Reports of faults of the broker itself to Sentry: internal errors (status 500), panics, and loops
//! that end.
//!
//! A 503 is no such fault: a dependency is down, or there is too much load. Metrics and alerts cover
//! that, and an outage would be one report for every request.
//!
//! A report has the request id, the ids of the trace, the method, the pattern of the route, the
//! tenant and the private cause, whose credentials are masked as in the log. It has no path, query,
//! header or body.
//!
//! Reports are sent by the HTTP client that the broker has anyway, in an envelope of two lines of
//! JSON around the event (<https://develop.sentry.dev/sdk/data-model/envelopes/>). The crate `sentry`
//! would add a dozen crates, a global client with threads of its own, and integrations that collect
//! more than a report may contain.
//!
//! A queue of limited length keeps reports from delaying a request. At most 30 are
//! sent per minute; further ones are dropped and counted.

mod envelope;
mod fault;
mod queue;
mod send;

pub use fault::{Fault, FaultKind, RequestFacts};
pub use queue::Reporter;
pub use send::{Options, Sender, build};
