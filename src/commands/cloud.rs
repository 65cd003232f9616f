//! How the broker reaches AWS.

use aws_config::SdkConfig;

use crate::config::TopicArn;

/// The SDK configurations of the AWS services, and the topic.
pub struct Cloud {
    /// The configuration for S3.
    pub s3: SdkConfig,
    /// The configuration for SNS.
    pub sns: SdkConfig,
    /// The topic that events are published to; without one, they are only stored.
    pub topic: Option<TopicArn>,
    /// The configuration for the queue of S3 event notifications.
    pub sqs: SdkConfig,
    /// The configuration for the queue of the workers.
    pub worker_sqs: SdkConfig,
    /// The configuration for Textract.
    pub textract: SdkConfig,
}
