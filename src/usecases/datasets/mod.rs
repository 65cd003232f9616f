//! Datasets: operations on the objects in the bucket.

pub mod copy;
pub mod detail;
pub mod download;
pub mod list;
