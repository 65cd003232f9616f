//! `/datasets`: the objects in the bucket.

pub mod acknowledge;
pub mod copy;
pub mod delete;
pub mod detail;
pub mod download;
pub mod list;
pub mod wire;
