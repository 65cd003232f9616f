//! Everything that speaks S3.

pub mod credentials;
pub mod endpoint;
pub mod sign;
