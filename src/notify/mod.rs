//! From event rows to SNS.

mod entry;
pub mod envelope;
pub mod inspect;
mod refusal;
pub mod relay;
pub mod round;
pub mod sns;
