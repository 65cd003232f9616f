//! `/uploads`: upload sessions.

pub mod acknowledge;
pub mod acknowledge_batch;
pub mod batch;
pub mod cancel;
pub mod create;
pub mod delete;
pub mod events;
pub mod extend;
pub mod list;
pub mod list_parts;
pub mod multipart;
pub mod read;
pub mod sign_parts;
pub mod wire;
