//! The bucket, and how clients reach it.

use std::net::Ipv4Addr;

use url::Url;

use super::parse::flag;
use super::reader::{Reader, Section};
use super::sse::Sse;
use super::store_switches::StoreSwitches;
use super::variables::{
    AWS_ENDPOINT_URL, AWS_ENDPOINT_URL_S3, BROKER_S3_BUCKET, BROKER_S3_PATH_STYLE,
    BROKER_S3_PUBLIC_ENDPOINT,
};

/// The bucket, and how clients reach it. The AWS SDK itself reads region, endpoint and credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct S3 {
    /// The name of the bucket.
    pub bucket: String,
    /// Whether URLs contain the bucket in the path instead of the host name.
    pub path_style: bool,
    /// The endpoint of pre-signed URLs, if it is not the endpoint of the SDK: scheme, host, port
    /// and path.
    pub public_endpoint: Option<Url>,
    /// The configured abilities of the store; the others are detected.
    pub switches: StoreSwitches,
    /// Encryption at rest.
    pub encryption: Sse,
}

impl Section for S3 {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let own = reader.optional(&AWS_ENDPOINT_URL_S3, sdk_endpoint);
        let of_all = reader.optional(&AWS_ENDPOINT_URL, sdk_endpoint);
        let is_custom = [&own, &of_all]
            .iter()
            .any(|url| matches!(url, Some(Some(_))));
        let bucket = reader.value(&BROKER_S3_BUCKET, bucket_name);
        let path_style = reader.derived(&BROKER_S3_PATH_STYLE, flag, is_custom);
        let public_endpoint = reader.optional(&BROKER_S3_PUBLIC_ENDPOINT, endpoint);
        let switches = StoreSwitches::read(reader);
        let encryption = Sse::read(reader);
        own?;
        of_all?;
        Some(Self {
            bucket: bucket?,
            path_style: path_style?,
            public_endpoint: public_endpoint?,
            switches: switches?,
            encryption: encryption?,
        })
    }
}

/// Parses a bucket name by "General purpose bucket naming rules" in the S3 User Guide, except for
/// the reserved prefixes and suffixes: the alias of an access point ends with such a suffix, and
/// can be used as a bucket.
fn bucket_name(text: &str) -> Result<String, String> {
    let allowed = |byte: u8| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'.')
    };
    let edge = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric());
    let is_valid = (3..=63).contains(&text.len())
        && text.bytes().all(allowed)
        && edge(text.bytes().next())
        && edge(text.bytes().next_back())
        && !text.contains("..")
        && text.parse::<Ipv4Addr>().is_err();
    if is_valid {
        Ok(text.to_owned())
    } else {
        Err(
            "must be a bucket name: 3 to 63 lower-case letters, digits, dots and hyphens, \
             starting and ending with a letter or digit, without two dots in a row, not an IP address"
                .to_owned(),
        )
    }
}

/// Parses an endpoint of the AWS SDK, which reads the variable itself.
fn sdk_endpoint(text: &str) -> Result<Url, String> {
    let expected = "must be a URL such as https://s3.example.com, optionally with a path";
    let url = Url::parse(text).map_err(|error| format!("{expected} ({error})"))?;
    let is_endpoint = matches!(url.scheme(), "http" | "https")
        && url.query().is_none()
        && url.fragment().is_none();
    is_endpoint
        .then_some(url)
        .ok_or_else(|| expected.to_owned())
}

/// Parses scheme, host, port and path. Every pre-signed URL starts with them, and the last three
/// are signed.
fn endpoint(text: &str) -> Result<Url, String> {
    let url = sdk_endpoint(text)?;
    match url.username().is_empty() && url.password().is_none() {
        true => Ok(url),
        false => Err("must not contain a user name or password: clients see this URL".to_owned()),
    }
}
