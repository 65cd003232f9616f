//! Publishes the events of the outbox to SNS, and sends events to webhooks.

mod entry;
pub mod envelope;
mod event_span;
pub mod inspect;
mod measure;
mod outcome;
mod refusal;
pub mod relay;
pub mod round;
pub mod sns;
pub mod webhooks;
