//! The SDK's client for S3. Time limits and retries are those of the configuration that it is made
//! from.

use std::borrow::Cow;

use aws_config::SdkConfig;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::{Builder, RequestChecksumCalculation, ResponseChecksumValidation};
use aws_types::service_config::ServiceConfigKey;

/// A client for the endpoint that `config` resolves to, or for `endpoint` where one is given. Both
/// may be below a path, with or without a slash at its end.
pub fn build(config: &SdkConfig, path_style: bool, endpoint: Option<&str>) -> Client {
    let mut builder = Builder::from(config)
        .force_path_style(path_style)
        // Clones of S3 stumble over checksums that they did not ask for.
        .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
        .response_checksum_validation(ResponseChecksumValidation::WhenRequired);
    let endpoint = endpoint
        .map(Cow::Borrowed)
        .or_else(|| endpoint_of(config).map(Cow::Owned));
    if let Some(endpoint) = endpoint {
        builder = builder.endpoint_url(as_folder(&endpoint));
    }
    Client::from_conf(builder.build())
}

/// The endpoint of S3 that the environment or a profile names, found as the SDK's own client finds
/// it: that of the service before that of all services.
fn endpoint_of(config: &SdkConfig) -> Option<String> {
    let of_service = || {
        let key = ServiceConfigKey::builder()
            .service_id("S3")
            .env("AWS_ENDPOINT_URL")
            .profile("endpoint_url");
        config.service_config()?.load_config(key.build().ok()?)
    };
    let is_given = config.get_origin("endpoint_url").is_client_config();
    let own = if is_given { None } else { of_service() };
    own.or_else(|| config.endpoint_url().map(str::to_owned))
}

/// The endpoint with a slash behind its path. The SDK's rules put the bucket right behind the path
/// in path-style URLs: without the slash the two would become one word.
fn as_folder(endpoint: &str) -> Cow<'_, str> {
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
    fn a_path_ends_in_a_slash() {
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
            assert_eq!(as_folder(endpoint), expected);
        }
    }
}
