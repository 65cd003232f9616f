//! The queue, over the protocol of SQS.
//!
//! A call that fails as a whole is a [`QueueError`]; an entry of a batch that fails is logged and
//! left: its message comes back, and is known by then.
//!
//! Source: <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/>

use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use aws_config::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::config::Builder;
use aws_sdk_sqs::error::SdkError;
use aws_sdk_sqs::types::{
    BatchResultErrorEntry, ChangeMessageVisibilityBatchRequestEntry as Visibility,
    DeleteMessageBatchRequestEntry as Deletion, Message, MessageSystemAttributeName as Attribute,
};
use chrono::{DateTime, Utc};

use super::pace::Pace;
use crate::telemetry::metrics::{CallOutcome, Metrics};

/// Messages in a call, the most that SQS takes.
pub const BATCH: usize = 10;

/// One queue.
#[derive(Clone)]
pub struct Queue {
    pub(super) client: Client,
    /// Time limits of a receive.
    polling: TimeoutConfig,
    pub(super) url: String,
    /// How long things take.
    pub pace: Pace,
    metrics: Arc<Metrics>,
}

/// A message that is ours for a while.
#[derive(Clone, Debug)]
pub struct Received {
    /// By SQS; for the log.
    pub id: String,
    /// What it is deleted or extended by.
    pub handle: String,
    /// What it tells. Never logged.
    pub body: String,
    /// When it was sent, where SQS says so.
    pub sent_at: Option<DateTime<Utc>>,
    /// How often it was received, this time included; roughly.
    pub receives: u32,
}

/// SQS did not do what was asked.
#[derive(Debug, thiserror::Error)]
#[error("SQS {operation} failed: {cause}")]
pub struct QueueError {
    operation: &'static str,
    cause: String,
}

impl Queue {
    /// Reads `url` through the endpoint and with the credentials of `config`.
    pub fn new(config: &SdkConfig, url: &str, pace: Pace, metrics: Arc<Metrics>) -> Self {
        let builder = Builder::from(config)
            // A long poll is silent by nature; its time-out bounds it.
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
        Self {
            client: Client::from_conf(builder.build()),
            polling: patient(config, pace.poll),
            url: url.to_owned(),
            pace,
            metrics,
        }
    }

    /// Up to ten messages; none where none came within the poll. It is asked once: whoever loops
    /// tries again.
    pub async fn receive(&self) -> Result<Vec<Received>, QueueError> {
        let once = Builder::new()
            .timeout_config(self.polling.clone())
            .retry_config(RetryConfig::disabled());
        let call = self
            .client
            .receive_message()
            .queue_url(&self.url)
            .max_number_of_messages(i32::try_from(BATCH).unwrap_or(1))
            .wait_time_seconds(seconds(self.pace.poll))
            .visibility_timeout(seconds(self.pace.visibility))
            .message_system_attribute_names(Attribute::SentTimestamp)
            .message_system_attribute_names(Attribute::ApproximateReceiveCount)
            .customize()
            .config_override(once)
            .send();
        let output = self.timed("ReceiveMessage", call).await?;
        let messages = output.messages.unwrap_or_default();
        Ok(messages.into_iter().filter_map(received).collect())
    }

    /// Deletes messages, at most [`BATCH`].
    pub async fn delete(&self, handles: &[&str]) -> Result<(), QueueError> {
        let entries = (handles.iter().enumerate()).filter_map(|(number, handle)| {
            let entry = Deletion::builder().id(number.to_string());
            entry.receipt_handle(*handle).build().ok()
        });
        let entries: Vec<_> = entries.collect();
        if entries.is_empty() {
            return Ok(());
        }
        let call = self.client.delete_message_batch().queue_url(&self.url);
        let call = call.set_entries(Some(entries)).send();
        let output = self.timed("DeleteMessageBatch", call).await?;
        tell("delete", &output.failed);
        Ok(())
    }

    /// Keeps messages from being received for this long from now on, at most [`BATCH`] at once;
    /// zero gives them back.
    pub async fn hide(&self, messages: &[(&str, Duration)]) -> Result<(), QueueError> {
        let entries = (messages.iter().enumerate()).filter_map(|(number, (handle, time))| {
            let entry = Visibility::builder().id(number.to_string());
            let entry = entry.visibility_timeout(seconds(*time));
            entry.receipt_handle(*handle).build().ok()
        });
        let entries: Vec<_> = entries.collect();
        if entries.is_empty() {
            return Ok(());
        }
        let call = self.client.change_message_visibility_batch();
        let call = call.queue_url(&self.url).set_entries(Some(entries)).send();
        let output = self.timed("ChangeMessageVisibilityBatch", call).await?;
        tell("change the visibility of", &output.failed);
        Ok(())
    }

    async fn timed<T, E, R>(
        &self,
        operation: &'static str,
        call: impl Future<Output = Result<T, SdkError<E, R>>>,
    ) -> Result<T, QueueError>
    where
        SdkError<E, R>: std::error::Error,
    {
        let start = Instant::now();
        let result = call.await;
        let outcome = match &result {
            Ok(_) => CallOutcome::Ok,
            Err(SdkError::ServiceError(_)) => CallOutcome::Refused,
            Err(_) => CallOutcome::Failed,
        };
        let calls = &self.metrics.s3_events;
        calls.called(operation, outcome, start.elapsed());
        result.map_err(|cause| QueueError {
            operation,
            cause: aws_sdk_sqs::error::DisplayErrorContext(cause).to_string(),
        })
    }
}

fn received(message: Message) -> Option<Received> {
    let attributes = message.attributes.unwrap_or_default();
    let number = |name| attributes.get(&name)?.parse::<i64>().ok();
    let receives = number(Attribute::ApproximateReceiveCount);
    Some(Received {
        id: message.message_id.unwrap_or_default(),
        handle: message.receipt_handle?,
        body: message.body.unwrap_or_default(),
        sent_at: number(Attribute::SentTimestamp).and_then(DateTime::from_timestamp_millis),
        receives: receives.and_then(|n| u32::try_from(n).ok()).unwrap_or(1),
    })
}

fn tell(what: &str, failed: &[BatchResultErrorEntry]) {
    for entry in failed {
        let why = entry.message().unwrap_or("no reason given");
        log::warn!(
            "s3 events: SQS did not {what} a message: {}: {why}",
            entry.code()
        );
    }
}

/// The limits of `config` for a call that waits for `poll` before it answers.
fn patient(config: &SdkConfig, poll: Duration) -> TimeoutConfig {
    let Some(limits) = config.timeout_config() else {
        return TimeoutConfig::builder().build();
    };
    let longer = |limit: Option<Duration>| limit.map(|limit| limit.saturating_add(poll));
    let mut patient = limits.to_builder();
    patient
        .set_operation_attempt_timeout(longer(limits.operation_attempt_timeout()))
        .set_operation_timeout(longer(limits.operation_timeout()));
    patient.build()
}

fn seconds(time: Duration) -> i32 {
    i32::try_from(time.as_secs()).unwrap_or(i32::MAX)
}
