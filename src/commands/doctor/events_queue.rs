//! `events-queue`: can S3 event notifications be read?

use super::context::CheckContext;
use super::verdict::Verdict;
use crate::sqs::inspect::QueueFault;

/// The recommended maxReceiveCount: enough for an outage of S3 or Postgres of one hour, because
/// each failed message is delayed longer than before.
const RECOMMENDED_RECEIVES: u32 = 10;

pub(super) async fn check_events_queue(context: &CheckContext) -> Verdict {
    let Some(queue) = &context.queue else {
        return Verdict::ok(
            "no queue is set: uploads are only completed when their clients acknowledge them",
        );
    };
    let seen = match queue.describe().await {
        Ok(seen) => seen,
        Err(error @ QueueFault::Refused(_)) => {
            let fix = "allow sqs:GetQueueAttributes to the user who runs the doctor; the broker itself \
                needs what `doctor --policy` prints";
            return Verdict::unknown(error.to_string(), fix);
        }
        Err(error @ QueueFault::Missing) => {
            let fix = "create it, or set BROKER_S3_EVENTS_QUEUE_URL to an existing queue";
            return Verdict::error(&error, fix);
        }
        Err(error) => {
            let fix = "check BROKER_S3_EVENTS_QUEUE_URL, AWS_ENDPOINT_URL_SQS and the network \
                connection";
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
