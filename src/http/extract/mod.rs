//! Extractors: what a handler asks of a request, each refusing with a problem that points at
//! the fault.

pub mod answer_by;
pub mod base;
pub mod batch;
pub mod body;
pub mod caller;
pub mod idempotency;
pub mod json;
pub mod path;
pub mod query;
