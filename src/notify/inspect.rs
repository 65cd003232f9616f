//! What SNS says of the topic. For the doctor: subscribers hear of it only when they shall.

use aws_sdk_sns::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_sns::types::MessageAttributeValue;
use aws_smithy_runtime_api::http::Response;
use chrono::{DateTime, Utc};
use serde_json::json;
use uuid::Uuid;

use super::envelope::SCHEMA_VERSION;
use super::sns::Topic;
use crate::domain::event::timestamp;

/// The type of a notification that tells of nothing.
pub const TEST: &str = "broker.test";

/// Why the topic cannot be used, or not be looked at.
#[derive(Debug, thiserror::Error)]
pub enum TopicFault {
    /// There is no such topic.
    #[error("there is no such topic")]
    Missing,
    /// SNS refuses us.
    #[error("SNS refuses: {0}")]
    Refused(String),
    /// No answer, or a fault of SNS's own.
    #[error("SNS does not answer: {0}")]
    Failed(String),
}

impl Topic {
    /// Whether the topic is there: one look at its attributes, for which the broker itself needs no
    /// right. [`TopicFault::Refused`] says nothing about publishing.
    ///
    /// # Errors
    /// Whatever else than that it is there.
    pub async fn look(&self) -> Result<(), TopicFault> {
        let call = self.client.get_topic_attributes().topic_arn(&self.arn);
        call.send().await.map(drop).map_err(fault)
    }

    /// Publishes a notification of the type [`TEST`], which every subscriber gets whose filter does
    /// not keep it out.
    ///
    /// # Errors
    /// SNS did not take it.
    pub async fn publish_test(&self, now: DateTime<Utc>) -> Result<(), TopicFault> {
        let id = Uuid::new_v4().to_string();
        let body = json!({
            "specversion": "1.0",
            "id": id,
            "source": "upload-broker",
            "type": TEST,
            "time": timestamp(now),
            "datacontenttype": "application/json",
            "data": {},
        });
        let mut call = (self.client.publish())
            .topic_arn(&self.arn)
            .message(body.to_string());
        for (name, value) in [("type", TEST), ("schema_version", SCHEMA_VERSION)] {
            let value = (MessageAttributeValue::builder().data_type("String"))
                .string_value(value)
                .build()
                .map_err(|cause| TopicFault::Failed(cause.to_string()))?;
            call = call.message_attributes(name, value);
        }
        if self.arn.ends_with(".fifo") {
            call = call.message_group_id(TEST).message_deduplication_id(id);
        }
        call.send().await.map(drop).map_err(fault)
    }
}

fn fault<E>(error: SdkError<E, Response>) -> TopicFault
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    let status = error
        .raw_response()
        .map(|response| response.status().as_u16());
    let code = error.code().unwrap_or_default().to_owned();
    match status {
        Some(404) => TopicFault::Missing,
        Some(400..=499) => {
            let words = error.message().unwrap_or_default();
            TopicFault::Refused(format!("{code} {words}").trim().to_owned())
        }
        _ => TopicFault::Failed(DisplayErrorContext(error).to_string()),
    }
}
