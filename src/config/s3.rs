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

/// The bucket, and how clients reach it. Region, endpoint and credentials are the AWS SDK's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct S3 {
    /// The bucket.
    pub bucket: String,
    /// Whether it stands in the path of URLs instead of the host name.
    pub path_style: bool,
    /// The endpoint of pre-signed URLs where it is not the SDK's: scheme, host, port and path.
    pub public_endpoint: Option<Url>,
    /// What the settings say of the store; the rest is found out.
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

/// An endpoint of the AWS SDK, which reads it by itself.
fn sdk_endpoint(text: &str) -> Result<Url, String> {
    let right =
        "must be a URL such as https://s3.example.com, with a path where the store is below one";
    let url = Url::parse(text).map_err(|error| format!("{right} ({error})"))?;
    let is_endpoint = matches!(url.scheme(), "http" | "https")
        && url.query().is_none()
        && url.fragment().is_none();
    is_endpoint.then_some(url).ok_or_else(|| right.to_owned())
}

/// Scheme, host, port and path: all of them begin every URL, and the last three are signed.
fn endpoint(text: &str) -> Result<Url, String> {
    let url = sdk_endpoint(text)?;
    match url.username().is_empty() && url.password().is_none() {
        true => Ok(url),
        false => Err("must have no user name and no password: clients see it".to_owned()),
    }
}
