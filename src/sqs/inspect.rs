//! Reads the attributes of the queue, for the command `doctor`. It receives no message, so no receive
//! count increases.

use aws_sdk_sqs::error::{DisplayErrorContext, ProvideErrorMetadata as _};
use aws_sdk_sqs::types::QueueAttributeName as Attribute;

use super::queue::Queue;

/// The attributes of the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueueDescription {
    /// The approximate number of messages in the queue.
    pub waiting: u64,
    /// How often a message may be received before it is moved to the dead-letter queue; `None` if the
    /// queue has no redrive policy.
    pub max_receives: Option<u32>,
}

/// Why the queue cannot be inspected.
#[derive(Debug, thiserror::Error)]
pub enum QueueFault {
    /// The queue does not exist.
    #[error("there is no such queue")]
    Missing,
    /// SQS denied the request. It may still allow messages to be received.
    #[error("SQS denied the request: {0}")]
    Refused(String),
    /// SQS did not respond, or failed with an error of its own.
    #[error("SQS does not respond: {0}")]
    Failed(String),
}

impl Queue {
    /// Reads the attributes of the queue. The broker itself does not need this permission.
    ///
    /// # Errors
    /// The queue does not exist, or SQS does not reveal whether it does.
    pub async fn describe(&self) -> Result<QueueDescription, QueueFault> {
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
                        let message = error.message().unwrap_or_default();
                        QueueFault::Refused(format!("{code} {message}").trim().to_owned())
                    }
                    _ => QueueFault::Failed(DisplayErrorContext(error).to_string()),
                });
            }
        };
        let attributes = output.attributes.unwrap_or_default();
        let waiting = attributes.get(&Attribute::ApproximateNumberOfMessages);
        let redrive = attributes.get(&Attribute::RedrivePolicy);
        Ok(QueueDescription {
            waiting: waiting.and_then(|text| text.parse().ok()).unwrap_or(0),
            max_receives: redrive.and_then(|policy| max_receive_count(policy)),
        })
    }
}

/// Reads `{"deadLetterTargetArn":"…","maxReceiveCount":10}`. Some servers write the number as a string.
fn max_receive_count(policy: &str) -> Option<u32> {
    let policy: serde_json::Value = serde_json::from_str(policy).ok()?;
    let count = policy.get("maxReceiveCount")?;
    let count = (count.as_u64()).or_else(|| count.as_str()?.parse().ok())?;
    u32::try_from(count).ok()
}
