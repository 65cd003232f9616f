//! The SDK's client for S3. Time limits and retries are those of the configuration that it is made
//! from.

use aws_config::SdkConfig;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::{Builder, RequestChecksumCalculation, ResponseChecksumValidation};

/// A client for the endpoint that `config` resolves to, or for `endpoint` where one is given.
pub fn build(config: &SdkConfig, path_style: bool, endpoint: Option<&str>) -> Client {
    let mut builder = Builder::from(config)
        .force_path_style(path_style)
        // Clones of S3 stumble over checksums that they did not ask for.
        .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
        .response_checksum_validation(ResponseChecksumValidation::WhenRequired);
    if let Some(endpoint) = endpoint {
        builder = builder.endpoint_url(endpoint);
    }
    Client::from_conf(builder.build())
}
