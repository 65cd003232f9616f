//! Loads the configuration of the AWS SDK.

use aws_config::BehaviorVersion;

use super::assemble::AssembleError;
use super::cloud::Cloud;
use crate::config::{QueueUrl, Settings};
use crate::objects::trust::CaBundle;

/// Loads the SDK configuration, and adapts it to the topic and the queue.
pub(super) async fn load_cloud(settings: &Settings) -> Result<Cloud, AssembleError> {
    let mut loader = aws_config::defaults(BehaviorVersion::latest());
    if let Some(bundle) = ca_bundle(settings)? {
        loader = loader.http_client(bundle.http_client().map_err(AssembleError::CaBundle)?);
    }
    let config = loader.load().await;
    Ok(Cloud {
        s3: config.clone(),
        sqs: for_queue(&config, settings.s3_events.queue.as_ref()),
        worker_sqs: for_queue(&config, settings.worker.queue.as_ref()),
        textract: config.clone(),
        sns: for_topic(config, settings),
        topic: settings.notify.topic.clone(),
    })
}

/// The certificate authorities that are trusted in addition to the system's, if any are configured.
pub(super) fn ca_bundle(settings: &Settings) -> Result<Option<CaBundle>, AssembleError> {
    let path = settings.aws.ca_bundle.as_deref();
    path.map(CaBundle::read)
        .transpose()
        .map_err(AssembleError::CaBundle)
}

/// The configuration for SNS: the region of the topic is in its ARN, and may differ from the bucket's.
fn for_topic(config: aws_config::SdkConfig, settings: &Settings) -> aws_config::SdkConfig {
    let Some(topic) = &settings.notify.topic else {
        return config;
    };
    let region = aws_config::Region::new(topic.region().to_owned());
    config.into_builder().region(region).build()
}

/// The configuration for SQS: region and endpoint of the queue are in its URL, unless the SDK's own
/// settings name another endpoint.
fn for_queue(config: &aws_config::SdkConfig, queue: Option<&QueueUrl>) -> aws_config::SdkConfig {
    let mut builder = config.clone().into_builder();
    let Some(queue) = queue else {
        return builder.build();
    };
    if let Some(region) = queue.region() {
        builder.set_region(aws_config::Region::new(region.to_owned()));
    }
    if config.endpoint_url().is_none() {
        builder.set_endpoint_url(queue.custom_endpoint());
    }
    builder.build()
}
