//! Everything that speaks S3.

pub mod sign;
