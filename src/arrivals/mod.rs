//! From the store's own events to uploads: a second way to complete, without the client.
//!
//! S3 tells a queue of SQS about every object that is made or removed, at least once and in no
//! order. A message is deleted when all that it tells is done. What cannot be done now (S3 or
//! Postgres is away) comes back later; what cannot be read is left to the queue's redrive policy.
//! Killed at any point, the broker leaves the messages at hand to the next reader. Any number of
//! replicas may read one queue.

mod handle;
pub mod inspect;
pub mod message;
pub mod pace;
pub mod queue;
pub mod reader;
mod round;

pub use round::Round;
