//! From event rows to SNS.

mod backoff;
pub mod envelope;
pub mod relay;
pub mod sns;
