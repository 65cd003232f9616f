//! Completes uploads from the store's own event notifications, without the client.
//!
//! S3 sends a message to an SQS queue for every object that is created or removed: at least once, and
//! in no particular order. A message is deleted from the queue when everything it reports has been
//! processed. A message that cannot be processed now, because S3 or Postgres is unavailable, becomes
//! visible again later. A message that cannot be parsed is left to the redrive policy of the queue. If
//! the broker is killed, its messages become visible to the next reader. Any number of replicas may
//! read one queue.

mod handle;
pub mod message;
pub mod reader;
mod round;

pub use round::Round;
