//! Extractors: the arguments of handlers. Each rejects an invalid request with a problem that names
//! the invalid value.

pub mod base_path;
pub mod batch;
pub mod body;
pub mod caller;
pub mod idempotency;
pub mod json;
pub mod origin;
pub mod path;
pub mod query;
pub mod response_deadline;
