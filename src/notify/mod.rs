//! Publishes the events of the outbox to SNS.

mod entry;
pub mod envelope;
pub mod inspect;
mod outcome;
mod refusal;
pub mod relay;
pub mod round;
pub mod sns;
