//! Typed calls of the broker's HTTP API.
//!
//! Every call can be repeated safely: reads have no effect, creates carry an `Idempotency-Key`, and
//! the API defines the other methods as idempotent. So every call is retried when the broker does
//! not respond, is overloaded or answers with a 5xx status, within
//! [`RetryLimits`](super::retry::RetryLimits).

mod client;
mod datasets;
mod link;
mod parts;
pub mod problem;
mod send;
mod time;
mod uploads;
pub mod wire;

pub use client::{Api, CONNECT, Page, USER_AGENT};
pub use datasets::{Copy, DeleteOptions, Detail, Entry, Listing};
pub use parts::PartRequest;
pub use uploads::{AcknowledgeItem, Filter};
