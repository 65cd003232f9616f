//! Checks of the topic for the command `doctor`. Only [`Topic::publish_test`] sends a notification.

use aws_sdk_sns::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_sns::types::MessageAttributeValue;
use aws_smithy_runtime_api::http::Response;
use chrono::{DateTime, Utc};
use serde_json::json;
use uuid::Uuid;

use super::envelope::SCHEMA_VERSION;
use super::sns::Topic;
use crate::domain::event::timestamp;

/// The event type of a test notification, which reports no change.
pub const TEST_EVENT_TYPE: &str = "broker.test";

/// Why the topic cannot be used or inspected.
#[derive(Debug, thiserror::Error)]
pub enum TopicFault {
    /// The topic does not exist.
    #[error("there is no such topic")]
    Missing,
    /// SNS denied the request.
    #[error("SNS denied the request: {0}")]
    Refused(String),
    /// SNS did not respond, or failed with an error of its own.
    #[error("SNS does not respond: {0}")]
    Failed(String),
}

impl Topic {
    /// Checks that the topic exists, by reading its attributes. The broker itself does not need this
    /// permission, so [`TopicFault::Refused`] does not mean that it cannot publish.
    ///
    /// # Errors
    /// The topic does not exist, or SNS does not reveal whether it does.
    pub async fn check_exists(&self) -> Result<(), TopicFault> {
        let call = self.client.get_topic_attributes().topic_arn(&self.arn);
        call.send().await.map(drop).map_err(fault)
    }

    /// Publishes a notification of the type [`TEST_EVENT_TYPE`]. Every subscriber receives it, unless
    /// the subscriber's filter policy excludes it.
    ///
    /// # Errors
    /// SNS did not accept the notification.
    pub async fn publish_test(&self, now: DateTime<Utc>) -> Result<(), TopicFault> {
        let id = Uuid::new_v4().to_string();
        let body = json!({
            "specversion": "1.0",
            "id": id,
            "source": "upload-broker",
            "type": TEST_EVENT_TYPE,
            "time": timestamp(now),
            "datacontenttype": "application/json",
            "data": {},
        });
        let mut call = (self.client.publish())
            .topic_arn(&self.arn)
            .message(body.to_string());
        for (name, value) in [
            ("type", TEST_EVENT_TYPE),
            ("schema_version", SCHEMA_VERSION),
        ] {
            let value = (MessageAttributeValue::builder().data_type("String"))
                .string_value(value)
                .build()
                .map_err(|cause| TopicFault::Failed(cause.to_string()))?;
            call = call.message_attributes(name, value);
        }
        if self.arn.ends_with(".fifo") {
            call = call
                .message_group_id(TEST_EVENT_TYPE)
                .message_deduplication_id(id);
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
            let message = error.message().unwrap_or_default();
            TopicFault::Refused(format!("{code} {message}").trim().to_owned())
        }
        _ => TopicFault::Failed(DisplayErrorContext(error).to_string()),
    }
}
