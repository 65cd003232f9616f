//! Pages about the broker itself. They are public; `/metrics` and the documentation may have a
//! listener of their own.

pub mod docs;
pub mod event_schema;
pub mod health;
pub mod index;
pub mod metrics;
pub mod readiness;
