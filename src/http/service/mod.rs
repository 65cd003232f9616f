//! Pages about the broker itself: public, except that `/metrics` may have a listener of its own.

pub mod docs;
pub mod health;
pub mod index;
pub mod metrics;
pub mod readiness;
