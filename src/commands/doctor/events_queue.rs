//! `events-queue`: can S3's own events be read?

use super::patient::Patient;
use super::verdict::Verdict;
use crate::arrivals::inspect::QueueFault;

/// Enough for an hour without S3 or Postgres: a message is put off for longer each time.
const RECEIVES: u32 = 10;

pub(super) async fn check(patient: &Patient) -> Verdict {
    let Some(queue) = &patient.queue else {
        return Verdict::ok("none is set: uploads complete by their clients' word");
    };
    let seen = match queue.describe().await {
        Ok(seen) => seen,
        Err(error @ QueueFault::Refused(_)) => {
            let fix = "allow sqs:GetQueueAttributes to whoever runs the doctor; the broker itself \
                needs what `doctor --policy` says";
            return Verdict::unknown(error.to_string(), fix);
        }
        Err(error @ QueueFault::Missing) => {
            let fix = "make it, or set BROKER_S3_EVENTS_QUEUE_URL to the right one";
            return Verdict::fault(&error, fix);
        }
        Err(error) => {
            let fix = "check BROKER_S3_EVENTS_QUEUE_URL, AWS_ENDPOINT_URL_SQS and the network on \
                the way there";
            return Verdict::fault(&error, fix);
        }
    };
    let waiting = format!("it is there, with about {} messages", seen.waiting);
    match seen.max_receives {
        Some(receives) if receives >= RECEIVES => Verdict::ok(waiting),
        Some(receives) => Verdict::warning(
            format!("{waiting}; they go to the dead-letter queue after {receives} tries"),
            format!("set maxReceiveCount to {RECEIVES}: an hour's outage takes as many"),
        ),
        None => Verdict::warning(
            format!("{waiting}, and no dead-letter queue for those that cannot be read"),
            format!("give it a RedrivePolicy with a maxReceiveCount of {RECEIVES}"),
        ),
    }
}
