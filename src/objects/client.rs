//! Creates the S3 client of the SDK. Its timeouts and retries are those of the given configuration.

use std::borrow::Cow;

use aws_config::SdkConfig;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::{Builder, RequestChecksumCalculation, ResponseChecksumValidation};
use aws_types::service_config::ServiceConfigKey;

/// Creates a client for `endpoint`, or for the endpoint that `config` resolves to if none is given.
/// Both may have a path, with or without a trailing slash.
pub fn build(config: &SdkConfig, path_style: bool, endpoint: Option<&str>) -> Client {
    let mut builder = Builder::from(config)
        .force_path_style(path_style)
        // Some S3-compatible stores fail on checksums that they do not require.
        .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
        .response_checksum_validation(ResponseChecksumValidation::WhenRequired);
    let endpoint = endpoint
        .map(Cow::Borrowed)
        .or_else(|| endpoint_of(config).map(Cow::Owned));
    if let Some(endpoint) = endpoint {
        builder = builder.endpoint_url(with_trailing_slash(&endpoint));
    }
    Client::from_conf(builder.build())
}

/// Returns the endpoint of S3 that the environment or a profile sets, with the precedence of the
/// SDK: the endpoint for S3 before the endpoint for all services.
fn endpoint_of(config: &SdkConfig) -> Option<String> {
    let service_endpoint = || {
        let key = ServiceConfigKey::builder()
            .service_id("S3")
            .env("AWS_ENDPOINT_URL")
            .profile("endpoint_url");
        config.service_config()?.load_config(key.build().ok()?)
    };
    let is_set_in_code = config.get_origin("endpoint_url").is_client_config();
    let own = if is_set_in_code {
        None
    } else {
        service_endpoint()
    };
    own.or_else(|| config.endpoint_url().map(str::to_owned))
}

/// Adds a slash to the path of an endpoint. In path-style URLs the SDK appends the bucket directly
/// to the path, so without the slash the two would become one segment.
fn with_trailing_slash(endpoint: &str) -> Cow<'_, str> {
    let has_path = (endpoint.split_once("://")).is_some_and(|(_, rest)| rest.contains('/'));
    match has_path && !endpoint.ends_with('/') {
        true => Cow::Owned(format!("{endpoint}/")),
        false => Cow::Borrowed(endpoint),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_of_endpoint_gets_a_trailing_slash() {
        for (endpoint, expected) in [
            ("https://s3.example.com", "https://s3.example.com"),
            ("https://s3.example.com/", "https://s3.example.com/"),
            (
                "https://example.com/storage/v1/s3",
                "https://example.com/storage/v1/s3/",
            ),
            (
                "https://example.com/storage/v1/s3/",
                "https://example.com/storage/v1/s3/",
            ),
        ] {
            assert_eq!(with_trailing_slash(endpoint), expected);
        }
    }
}
