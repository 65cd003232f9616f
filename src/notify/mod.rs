//! From event rows to SNS.

mod entry;
pub mod envelope;
mod refusal;
pub mod relay;
pub mod round;
pub mod sns;
