//! What SQS says of the queue. For the doctor: no message is received, so none is counted as such.

use aws_sdk_sqs::error::{DisplayErrorContext, ProvideErrorMetadata as _};
use aws_sdk_sqs::types::QueueAttributeName as Attribute;

use super::queue::Queue;

/// The queue, as SQS describes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Described {
    /// Messages that wait; roughly.
    pub waiting: u64,
    /// How often a message may be received before it goes to the dead-letter queue; `None` where
    /// there is none.
    pub receives: Option<u32>,
}

/// Why the queue cannot be looked at.
#[derive(Debug, thiserror::Error)]
pub enum QueueFault {
    /// There is no such queue.
    #[error("there is no such queue")]
    Missing,
    /// SQS refuses us; for reading it may not.
    #[error("SQS refuses: {0}")]
    Refused(String),
    /// No answer, or a fault of SQS's own.
    #[error("SQS does not answer: {0}")]
    Failed(String),
}

impl Queue {
    /// One look at its attributes, for which the broker itself needs no right.
    ///
    /// # Errors
    /// Whatever else than that it is there.
    pub async fn look(&self) -> Result<Described, QueueFault> {
        let call = (self.client.get_queue_attributes())
            .queue_url(&self.url)
            .attribute_names(Attribute::ApproximateNumberOfMessages)
            .attribute_names(Attribute::RedrivePolicy);
        let output = match call.send().await {
            Ok(output) => output,
            Err(error) => {
                let response = error.raw_response();
                let status = response.map(|response| response.status().as_u16());
                let code = error.code().unwrap_or_default().to_owned();
                return Err(match status {
                    _ if code.contains("NonExistentQueue") || code == "QueueDoesNotExist" => {
                        QueueFault::Missing
                    }
                    Some(400..=499) => {
                        let words = error.message().unwrap_or_default();
                        QueueFault::Refused(format!("{code} {words}").trim().to_owned())
                    }
                    _ => QueueFault::Failed(DisplayErrorContext(error).to_string()),
                });
            }
        };
        let attributes = output.attributes.unwrap_or_default();
        let waiting = attributes.get(&Attribute::ApproximateNumberOfMessages);
        let redrive = attributes.get(&Attribute::RedrivePolicy);
        Ok(Described {
            waiting: waiting.and_then(|text| text.parse().ok()).unwrap_or(0),
            receives: redrive.and_then(|policy| receives(policy)),
        })
    }
}

/// `{"deadLetterTargetArn":"…","maxReceiveCount":10}`; some write the number as a text.
fn receives(policy: &str) -> Option<u32> {
    let policy: serde_json::Value = serde_json::from_str(policy).ok()?;
    let count = policy.get("maxReceiveCount")?;
    let count = (count.as_u64()).or_else(|| count.as_str()?.parse().ok())?;
    u32::try_from(count).ok()
}
