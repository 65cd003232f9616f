//! `serve`: the production role.

use std::process::ExitCode;

use aws_config::BehaviorVersion;

use super::assemble::{AssembleError, Cloud, assemble};
use super::output::{bad_config, fail, start_log, warn_of_unknown};
use crate::clock::Clock;
use crate::config::{self, Settings};
use crate::lifecycle::Shutdown;
use crate::objects::trust::Bundle;

pub(super) async fn run() -> ExitCode {
    let settings = match config::from_env() {
        Ok(settings) => settings,
        Err(faults) => return bad_config(&faults),
    };
    start_log(&settings.log);
    warn_of_unknown();
    match serve(&settings).await {
        Ok(code) => code,
        Err(error) => fail("The broker does not run", &error),
    }
}

async fn serve(settings: &Settings) -> Result<ExitCode, AssembleError> {
    let shutdown = Shutdown::new();
    shutdown.on_signals().map_err(AssembleError::Signals)?;
    let cloud = cloud(settings).await?;
    assemble(settings, &cloud, Clock::system())
        .await?
        .run(settings, &shutdown, |_| {})
        .await
}

/// AWS, as its SDK finds it.
pub(super) async fn cloud(settings: &Settings) -> Result<Cloud, AssembleError> {
    let mut loader = aws_config::defaults(BehaviorVersion::latest());
    if let Some(bundle) = bundle(settings)? {
        loader = loader.http_client(bundle.client().map_err(AssembleError::CaBundle)?);
    }
    let config = loader.load().await;
    Ok(Cloud {
        s3: config.clone(),
        sqs: for_queue(&config, settings),
        sns: for_topic(config, settings),
        topic: settings.notify.topic.clone(),
    })
}

/// The authorities that are believed beside the system's, where the settings name some.
pub(super) fn bundle(settings: &Settings) -> Result<Option<Bundle>, AssembleError> {
    let path = settings.aws.ca_bundle.as_deref();
    path.map(Bundle::read)
        .transpose()
        .map_err(AssembleError::CaBundle)
}

/// A topic lives in the region that its ARN names, wherever the bucket is.
fn for_topic(config: aws_config::SdkConfig, settings: &Settings) -> aws_config::SdkConfig {
    let Some(topic) = &settings.notify.topic else {
        return config;
    };
    let region = aws_config::Region::new(topic.region().to_owned());
    config.into_builder().region(region).build()
}

/// A queue lives where its URL says, unless the SDK's own settings name another endpoint.
fn for_queue(config: &aws_config::SdkConfig, settings: &Settings) -> aws_config::SdkConfig {
    let mut builder = config.clone().into_builder();
    let Some(queue) = &settings.s3_events.queue else {
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
