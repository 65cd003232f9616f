//! SQS queues: a client for long polls, and how long messages wait. The readers of S3's event
//! notifications and the workers use it.

pub mod inspect;
pub mod queue;
pub mod timing;
