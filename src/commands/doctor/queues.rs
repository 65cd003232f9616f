//! `events-queue` and `worker-queue`: can the notifications of S3, and those that wake workers, be read?

use super::context::CheckContext;
use super::verdict::Verdict;
use crate::sqs::inspect::QueueFault;
use crate::sqs::queue::Queue;

/// The recommended maxReceiveCount: enough for an outage of S3 or Postgres of one hour, because
/// each failed message is delayed longer than before.
const RECOMMENDED_RECEIVES: u32 = 10;

pub(super) async fn check_events_queue(context: &CheckContext) -> Verdict {
    match &context.queue {
        Some(queue) => check_queue(queue, "BROKER_S3_EVENTS_QUEUE_URL").await,
        None => Verdict::ok(
            "no queue is set: uploads are only completed when their clients acknowledge them",
        ),
    }
}

pub(super) async fn check_worker_queue(context: &CheckContext) -> Verdict {
    match &context.worker_queue {
        Some(queue) => check_queue(queue, "BROKER_WORKER_QUEUE_URL").await,
        None => Verdict::ok("no queue is set: workers ask Postgres for jobs"),
    }
}

/// Checks the queue that `setting` names.
async fn check_queue(queue: &Queue, setting: &str) -> Verdict {
    let seen = match queue.describe().await {
        Ok(seen) => seen,
        Err(error @ QueueFault::Refused(_)) => {
            let fix = "allow sqs:GetQueueAttributes to the user who runs the doctor; the broker itself \
                needs what `doctor --policy` prints";
            return Verdict::unknown(error.to_string(), fix);
        }
        Err(error @ QueueFault::Missing) => {
            let fix = format!("create it, or set {setting} to an existing queue");
            return Verdict::error(&error, fix);
        }
        Err(error) => {
            let fix = format!("check {setting}, AWS_ENDPOINT_URL_SQS and the network connection");
            return Verdict::error(&error, fix);
        }
    };
    let waiting = format!("the queue exists, with about {} messages", seen.waiting);
    match seen.max_receives {
        Some(receives) if receives >= RECOMMENDED_RECEIVES => Verdict::ok(waiting),
        Some(receives) => Verdict::warning(
            format!("{waiting}; they are moved to the dead-letter queue after {receives} attempts"),
            format!(
                "set maxReceiveCount to {RECOMMENDED_RECEIVES}, which covers an outage of one hour"
            ),
        ),
        None => Verdict::warning(
            format!("{waiting}, but no dead-letter queue for messages that cannot be processed"),
            format!("set a RedrivePolicy with a maxReceiveCount of {RECOMMENDED_RECEIVES}"),
        ),
    }
}
