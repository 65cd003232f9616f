//! `/uploads`: upload sessions.

pub mod acknowledge;
pub mod batch;
pub mod cancel;
pub mod create;
pub mod delete;
pub mod events;
pub mod list;
pub mod read;
pub mod wire;
