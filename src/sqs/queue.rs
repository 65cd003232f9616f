//! The client of the SQS queue.
//!
//! A call that fails as a whole returns a [`QueueError`]. A single entry of a batch that fails is only
//! logged: its message becomes visible again, and then its objects have already been processed.
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
use tokio_util::sync::CancellationToken;

use super::timing::QueueTiming;
use crate::telemetry::metrics::{CallOutcome, Metrics};

/// The largest number of messages in a call that SQS allows.
pub const MAX_BATCH: usize = 10;

/// How long a stopped reader waits for the answer to a call that it has made. SQS may have handed out
/// messages with it, which would stay invisible until their visibility timeout ends.
const LAST_ANSWER: Duration = Duration::from_secs(1);

/// What a queue is for. It decides about the names in logs and metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Event notifications of S3.
    S3Events,
    /// Notifications of the broker itself, which wake workers.
    Jobs,
}

/// An SQS queue.
#[derive(Clone)]
pub struct Queue {
    pub(crate) client: Client,
    /// The timeouts of a receive call.
    receive_timeouts: TimeoutConfig,
    pub(crate) url: String,
    /// The time limits and delays of the queue.
    pub timing: QueueTiming,
    purpose: Purpose,
    metrics: Arc<Metrics>,
}

/// A message that is invisible to other readers until its visibility timeout ends.
#[derive(Clone, Debug)]
pub struct ReceivedMessage {
    /// The message id that SQS assigned; it is used in the log.
    pub id: String,
    /// The receipt handle, which identifies the message when it is deleted or its visibility is changed.
    pub handle: String,
    /// The body. It is never logged.
    pub body: String,
    /// When the message was sent, if SQS reports it.
    pub sent_at: Option<DateTime<Utc>>,
    /// The approximate number of receives, including this one.
    pub receives: u32,
}

/// A call to SQS failed.
#[derive(Debug, thiserror::Error)]
#[error("SQS {operation} failed: {cause}")]
pub struct QueueError {
    operation: &'static str,
    cause: String,
}

impl Queue {
    /// Creates a client of the queue at `url`, with the endpoint and the credentials of `config`.
    pub fn new(
        config: &SdkConfig,
        url: &str,
        purpose: Purpose,
        timing: QueueTiming,
        metrics: Arc<Metrics>,
    ) -> Self {
        let builder = Builder::from(config)
            // A long poll transfers no data while it waits; its timeout limits it.
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
        Self {
            client: Client::from_conf(builder.build()),
            receive_timeouts: receive_timeouts(config, timing.wait_time),
            url: url.to_owned(),
            timing,
            purpose,
            metrics,
        }
    }

    /// Receives up to ten messages; returns an empty list if none arrived within the wait time, or before
    /// `stop`. Messages that SQS hands out at the moment of the stop are returned, too. It does not retry:
    /// the caller's loop does.
    ///
    /// # Errors
    /// The call failed.
    pub async fn receive_until(
        &self,
        stop: &CancellationToken,
    ) -> Result<Vec<ReceivedMessage>, QueueError> {
        if stop.is_cancelled() {
            return Ok(Vec::new());
        }
        let last_answer = async {
            stop.cancelled().await;
            tokio::time::sleep(LAST_ANSWER).await;
        };
        tokio::select! {
            biased;
            messages = self.receive() => messages,
            () = last_answer => Ok(Vec::new()),
        }
    }

    async fn receive(&self) -> Result<Vec<ReceivedMessage>, QueueError> {
        let without_retries = Builder::new()
            .timeout_config(self.receive_timeouts.clone())
            .retry_config(RetryConfig::disabled());
        let call = self
            .client
            .receive_message()
            .queue_url(&self.url)
            .max_number_of_messages(i32::try_from(MAX_BATCH).unwrap_or(1))
            .wait_time_seconds(seconds(self.timing.wait_time))
            .visibility_timeout(seconds(self.timing.visibility_timeout))
            .message_system_attribute_names(Attribute::SentTimestamp)
            .message_system_attribute_names(Attribute::ApproximateReceiveCount)
            .customize()
            .config_override(without_retries)
            .send();
        let output = self.timed("ReceiveMessage", call).await?;
        let messages = output.messages.unwrap_or_default();
        Ok(messages.into_iter().filter_map(received_message).collect())
    }

    /// Deletes at most [`MAX_BATCH`] messages.
    ///
    /// # Errors
    /// The call failed. Entries that failed individually are logged.
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
        self.log_failed_entries("delete", &output.failed);
        Ok(())
    }

    /// Changes the visibility timeout of at most [`MAX_BATCH`] messages: they become visible to readers
    /// when the given time has passed. Zero makes them visible at once.
    ///
    /// # Errors
    /// The call failed. Entries that failed individually are logged.
    pub async fn change_visibility(&self, messages: &[(&str, Duration)]) -> Result<(), QueueError> {
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
        self.log_failed_entries("change the visibility of", &output.failed);
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
        if self.purpose == Purpose::S3Events {
            let calls = &self.metrics.s3_events;
            calls.called(operation, outcome, start.elapsed());
        }
        result.map_err(|cause| QueueError {
            operation,
            cause: aws_sdk_sqs::error::DisplayErrorContext(cause).to_string(),
        })
    }

    fn log_failed_entries(&self, operation: &str, failed: &[BatchResultErrorEntry]) {
        let reader = self.purpose.as_str();
        for entry in failed {
            let reason = entry.message().unwrap_or("no reason given");
            log::warn!(
                "{reader}: SQS did not {operation} a message: {}: {reason}",
                entry.code()
            );
        }
    }
}

impl Purpose {
    /// The start of log lines.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::S3Events => "s3 events",
            Self::Jobs => "worker",
        }
    }
}

fn received_message(message: Message) -> Option<ReceivedMessage> {
    let attributes = message.attributes.unwrap_or_default();
    let number = |name| attributes.get(&name)?.parse::<i64>().ok();
    let receives = number(Attribute::ApproximateReceiveCount);
    Some(ReceivedMessage {
        id: message.message_id.unwrap_or_default(),
        handle: message.receipt_handle?,
        body: message.body.unwrap_or_default(),
        sent_at: number(Attribute::SentTimestamp).and_then(DateTime::from_timestamp_millis),
        receives: receives.and_then(|n| u32::try_from(n).ok()).unwrap_or(1),
    })
}

/// Returns the timeouts of `config`, extended by the time that a long poll waits before it responds.
fn receive_timeouts(config: &SdkConfig, wait_time: Duration) -> TimeoutConfig {
    let Some(timeouts) = config.timeout_config() else {
        return TimeoutConfig::builder().build();
    };
    let extended =
        |timeout: Option<Duration>| timeout.map(|timeout| timeout.saturating_add(wait_time));
    let mut builder = timeouts.to_builder();
    builder
        .set_operation_attempt_timeout(extended(timeouts.operation_attempt_timeout()))
        .set_operation_timeout(extended(timeouts.operation_timeout()));
    builder.build()
}

fn seconds(duration: Duration) -> i32 {
    i32::try_from(duration.as_secs()).unwrap_or(i32::MAX)
}
