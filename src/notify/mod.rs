//! From event rows to SNS.

pub mod envelope;
pub mod relay;
pub mod sns;
