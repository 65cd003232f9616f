//! The calls of Textract.

use std::sync::Arc;
use std::time::Instant;

use aws_config::SdkConfig;
use aws_sdk_textract::Client;
use aws_sdk_textract::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_textract::types::{DocumentLocation, NotificationChannel as Channel, S3Object};

use super::answer::Answer;
use super::error::{FaultKind, TextractError};
use crate::telemetry::metrics::{CallOutcome, Metrics};
use crate::telemetry::trace;

/// The largest number of blocks in an answer, which is the most that Textract allows.
const MAX_BLOCKS: i32 = 1_000;

/// A topic to which Textract publishes the end of each run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotificationChannel {
    /// The ARN of the topic.
    pub topic: String,
    /// The ARN of the role that Textract takes to publish.
    pub role: String,
}

/// A document in S3.
#[derive(Clone, Copy, Debug)]
pub struct Document<'a> {
    /// The bucket.
    pub bucket: &'a str,
    /// The key.
    pub key: &'a str,
    /// The version, if the bucket keeps versions.
    pub version: Option<&'a str>,
}

/// Amazon Textract.
#[derive(Clone, Debug)]
pub struct Textract {
    client: Client,
    channel: Option<NotificationChannel>,
    metrics: Arc<Metrics>,
}

impl Textract {
    /// Creates a client with the region, the endpoint and the credentials of `config`. With a channel,
    /// the end of each run is published.
    pub fn new(
        config: &SdkConfig,
        channel: Option<NotificationChannel>,
        metrics: Arc<Metrics>,
    ) -> Self {
        Self {
            client: Client::new(config),
            channel,
            metrics,
        }
    }

    /// Whether the end of each run is published.
    pub fn publishes_ends(&self) -> bool {
        self.channel.is_some()
    }

    /// Starts a run, and returns its id. A start with the same token, at most 64 letters, digits and
    /// `-`, returns the same run. The notification of the end contains `tag`.
    ///
    /// # Errors
    /// Textract accepts no more runs, cannot read the document, or does not answer.
    pub async fn start(
        &self,
        document: Document<'_>,
        token: &str,
        tag: &str,
    ) -> Result<String, TextractError> {
        const OPERATION: &str = "StartDocumentTextDetection";
        let object = S3Object::builder()
            .bucket(document.bucket)
            .name(document.key)
            .set_version(document.version.map(str::to_owned));
        let location = DocumentLocation::builder().s3_object(object.build());
        let channel = self.channel.as_ref().and_then(|channel| {
            let built = Channel::builder().sns_topic_arn(&channel.topic);
            built.role_arn(&channel.role).build().ok()
        });
        let call = self
            .client
            .start_document_text_detection()
            .document_location(location.build())
            .client_request_token(token)
            .job_tag(tag)
            .set_notification_channel(channel);
        let output = self.timed(OPERATION, call.send()).await?;
        output.job_id.ok_or_else(|| TextractError {
            kind: FaultKind::Unavailable,
            code: "no job id".to_owned(),
            operation: OPERATION,
            cause: "the answer has no JobId".to_owned(),
        })
    }

    /// Fetches the results of a run: the first part, or that with the token of an earlier answer.
    ///
    /// # Errors
    /// The run is unknown, Textract answers no more calls at present, or does not answer.
    pub async fn fetch(&self, run: &str, token: Option<&str>) -> Result<Answer, TextractError> {
        let call = self
            .client
            .get_document_text_detection()
            .job_id(run)
            .max_results(MAX_BLOCKS)
            .set_next_token(token.map(str::to_owned));
        let output = self.timed("GetDocumentTextDetection", call.send()).await?;
        Ok(Answer::from(output))
    }

    async fn timed<T, E, R>(
        &self,
        operation: &'static str,
        call: impl Future<Output = Result<T, SdkError<E, R>>>,
    ) -> Result<T, TextractError>
    where
        E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
        R: std::fmt::Debug + Send + Sync + 'static,
    {
        let mut span = trace::aws_span("Textract", operation);
        let start = Instant::now();
        let result = call.await;
        let outcome = match &result {
            Ok(_) => CallOutcome::Ok,
            Err(SdkError::ServiceError(_)) => CallOutcome::Refused,
            Err(_) => CallOutcome::Failed,
        };
        let calls = &self.metrics.textract;
        calls.called(operation, outcome, start.elapsed());
        if result.is_err() {
            span.fail(outcome.label());
        }
        result.map_err(|error| TextractError::new(operation, error))
    }
}
