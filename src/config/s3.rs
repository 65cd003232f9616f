//! The bucket, and how clients reach it.

use std::net::Ipv4Addr;

use url::Url;

use super::parse::flag;
use super::reader::{Reader, Section};
use super::sse::Sse;
use super::variables::{
    AWS_ENDPOINT_URL, AWS_ENDPOINT_URL_S3, BROKER_S3_BUCKET, BROKER_S3_CONDITIONAL_WRITES,
    BROKER_S3_PATH_STYLE, BROKER_S3_PUBLIC_ENDPOINT,
};

/// The bucket, and how clients reach it. Region, endpoint and credentials are the AWS SDK's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct S3 {
    /// The bucket.
    pub bucket: String,
    /// Whether it stands in the path of URLs instead of the host name.
    pub path_style: bool,
    /// The endpoint of pre-signed URLs where it is not the SDK's: scheme, host and port only.
    pub public_endpoint: Option<Url>,
    /// Whether the store knows `If-None-Match` and `If-Match` on PUT.
    pub conditional_writes: bool,
    /// Encryption at rest.
    pub encryption: Sse,
}

impl Section for S3 {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let endpoints = [&AWS_ENDPOINT_URL_S3, &AWS_ENDPOINT_URL];
        let custom = endpoints.map(|variable| reader.is_set(variable));
        let bucket = reader.value(&BROKER_S3_BUCKET, bucket_name);
        let path_style = reader.derived(&BROKER_S3_PATH_STYLE, flag, custom.contains(&true));
        let public_endpoint = reader.optional(&BROKER_S3_PUBLIC_ENDPOINT, endpoint);
        let conditional_writes = reader.value(&BROKER_S3_CONDITIONAL_WRITES, flag);
        let encryption = Sse::read(reader);
        Some(Self {
            bucket: bucket?,
            path_style: path_style?,
            public_endpoint: public_endpoint?,
            conditional_writes: conditional_writes?,
            encryption: encryption?,
        })
    }
}

/// The rules of "General purpose bucket naming rules" in the S3 User Guide, less those on reserved
/// prefixes and suffixes (an alias of an access point ends in one, and is usable as a bucket).
fn bucket_name(text: &str) -> Result<String, String> {
    let allowed = |byte: u8| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'.')
    };
    let edge = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric());
    let right = (3..=63).contains(&text.len())
        && text.bytes().all(allowed)
        && edge(text.bytes().next())
        && edge(text.bytes().next_back())
        && !text.contains("..")
        && text.parse::<Ipv4Addr>().is_err();
    if right {
        Ok(text.to_owned())
    } else {
        Err(
            "must be a bucket name: 3 to 63 lower-case letters, digits, dots and hyphens, \
             a letter or digit at both ends, no two dots together, not an IP address"
                .to_owned(),
        )
    }
}

/// Host and port are part of a signature, and so is the path, which a proxy would change.
fn endpoint(text: &str) -> Result<Url, String> {
    let right = "must be a URL with no more than scheme, host and port: https://s3.example.com";
    let url = Url::parse(text).map_err(|error| format!("{right} ({error})"))?;
    let bare = matches!(url.scheme(), "http" | "https")
        && url.path() == "/"
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    if bare { Ok(url) } else { Err(right.to_owned()) }
}
