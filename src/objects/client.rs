//! The SDK's client for S3, made for services that answer people.

use std::time::Duration;

use aws_config::SdkConfig;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::{Builder, RequestChecksumCalculation, ResponseChecksumValidation};

/// To open a connection.
const CONNECT: Duration = Duration::from_secs(2);
/// For one attempt.
const ATTEMPT: Duration = Duration::from_secs(5);
/// For all attempts and the waiting between them.
const TOTAL: Duration = Duration::from_secs(12);

/// A client for the endpoint that `config` resolves to, or for `endpoint` where one is given.
pub fn build(config: &SdkConfig, path_style: bool, endpoint: Option<&str>) -> Client {
    let mut builder = Builder::from(config)
        .force_path_style(path_style)
        .timeout_config(timeouts())
        // Clones of S3 stumble over checksums that they did not ask for.
        .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
        .response_checksum_validation(ResponseChecksumValidation::WhenRequired);
    if let Some(endpoint) = endpoint {
        builder = builder.endpoint_url(endpoint);
    }
    Client::from_conf(builder.build())
}

/// Bounds for a call that a person waits for.
pub fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(CONNECT)
        .operation_attempt_timeout(ATTEMPT)
        .operation_timeout(TOTAL)
        .build()
}
