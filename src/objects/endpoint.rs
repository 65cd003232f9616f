//! The address of a bucket in URLs and in signatures.
//!
//! Which host serves a bucket follows from many rules: partitions (China, GovCloud), dual-stack,
//! FIPS, accelerate, dotted names that no certificate covers, access points, custom endpoints. The
//! SDK implements these rules, so they are not repeated here: a sample object is presigned with the
//! configured client, and the address is read from its URL.
//!
//! No request is sent. A client without a region, or a bucket name that the rules refuse, is an
//! error when the bucket is opened, never later.

use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sdk_s3::Client;
use aws_sdk_s3::presigning::PresigningConfig;
use percent_encoding::percent_decode_str;

/// The key of the sample object. Any key works that does not change when it is encoded.
const SAMPLE_KEY: &str = "sample";

/// The suffix of the name of a directory bucket (S3 Express One Zone).
const DIRECTORY_BUCKET: &str = "--x-s3";

/// The domains of AWS.
const AWS_DOMAINS: [&str; 4] = [
    ".amazonaws.com",
    ".amazonaws.com.cn",
    ".amazonaws.eu",
    ".api.aws",
];

/// Why an endpoint could not be resolved.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The endpoint rules of the SDK refuse this client or bucket; the source says why.
    #[error("the S3 client cannot presign for bucket {bucket:?}")]
    Presign {
        /// The requested bucket.
        bucket: String,
        /// The error of the SDK.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The bucket is a directory bucket. These are signed with session credentials that last five
    /// minutes (`CreateSession`), which is too short for issued URLs.
    #[error("bucket {0:?} is a directory bucket (S3 Express One Zone): not supported")]
    DirectoryBucket(String),
    /// The URL of the sample has an unknown format.
    #[error("the sample URL of bucket {bucket:?} has no readable {part}")]
    Sample {
        /// The requested bucket.
        bucket: String,
        /// The part of the URL that was not found.
        part: &'static str,
    },
}

/// The address of a bucket: the part of a URL before the key, and what is signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    origin: String,
    host: String,
    base_path: String,
    region: String,
    service: String,
}

impl Endpoint {
    /// Resolves the address of `bucket` with the client that is configured for it.
    ///
    /// The sample is signed with dummy credentials; those of the client are not used.
    ///
    /// # Errors
    /// The SDK cannot resolve an endpoint (no region, or a bucket name that the endpoint rules
    /// refuse), or the bucket is a directory bucket.
    pub async fn resolve(client: &Client, bucket: &str) -> Result<Self, Error> {
        if bucket.ends_with(DIRECTORY_BUCKET) {
            return Err(Error::DirectoryBucket(bucket.to_owned()));
        }
        let refused = |source: Box<dyn std::error::Error + Send + Sync>| Error::Presign {
            bucket: bucket.to_owned(),
            source,
        };
        let config = PresigningConfig::builder()
            .start_time(SystemTime::UNIX_EPOCH)
            .expires_in(Duration::from_secs(60))
            .build()
            .map_err(|error| refused(error.into()))?;
        let dummy = Credentials::new("SAMPLE", "sample", None, None, "sample");
        let sample = client
            .put_object()
            .bucket(bucket)
            .key(SAMPLE_KEY)
            .customize()
            .config_override(aws_sdk_s3::config::Builder::new().credentials_provider(dummy))
            .presigned(config)
            .await
            .map_err(|error| refused(error.into()))?;
        Self::parse(sample.uri()).map_err(|part| Error::Sample {
            bucket: bucket.to_owned(),
            part,
        })
    }

    /// Parses the URL of a sample. The error names the part that was not found.
    fn parse(url: &str) -> Result<Self, &'static str> {
        let (address, query) = url.split_once('?').ok_or("query")?;
        let (scheme, rest) = address.split_once("://").ok_or("scheme")?;
        let (authority, path) = rest.split_once('/').ok_or("path")?;
        let base = path.strip_suffix(SAMPLE_KEY).ok_or("key")?;
        // The SDK has put the name of the bucket before an IPv6 literal:
        // `http://bucket.[::1]:9000`.
        if authority.find('[').is_some_and(|at| at > 0) {
            return Err("host");
        }
        let (region, service) = scope(query).ok_or("credential scope")?;
        // The Host header omits the default port of the scheme (RFC 9110, section 7.2); the URL
        // keeps it.
        let host = match scheme {
            "https" => authority.strip_suffix(":443"),
            _ => authority.strip_suffix(":80"),
        };
        Ok(Self {
            origin: format!("{scheme}://{authority}"),
            host: host.unwrap_or(authority).to_owned(),
            base_path: format!("/{base}"),
            region,
            service,
        })
    }

    /// The scheme and authority: `https://bucket.s3.eu-west-1.amazonaws.com`.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The origins of this bucket and of the other buckets of the same store, as sources of a
    /// content security policy: with `*` for the name of the bucket, if the host contains it. The
    /// endpoint itself is one of them, for buckets whose names cannot be part of a host.
    #[must_use]
    pub fn origins_of_store(&self, bucket: &str) -> Vec<String> {
        let split = self.origin.split_once("://");
        let hosts = split.and_then(|(scheme, authority)| {
            let store = authority.strip_prefix(bucket)?.strip_prefix('.')?;
            Some(vec![
                format!("{scheme}://*.{store}"),
                format!("{scheme}://{store}"),
            ])
        });
        hosts.unwrap_or_else(|| vec![self.origin.clone()])
    }

    /// The `Host` header that clients send.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Whether the endpoint belongs to AWS itself, which supports everything. This is decided by
    /// the domains of its partitions ("AWS service endpoints" and "Amazon Web Services in China",
    /// AWS General Reference).
    #[must_use]
    pub fn is_aws(&self) -> bool {
        let host = self.host.split(':').next().unwrap_or_default();
        AWS_DOMAINS.iter().any(|domain| host.ends_with(domain))
    }

    /// The encoded path before the key, with a slash at both ends: `/` or `/bucket/`.
    #[must_use]
    pub fn base_path(&self) -> &str {
        &self.base_path
    }

    /// The region in the scope of signatures.
    #[must_use]
    pub fn region(&self) -> &str {
        &self.region
    }

    /// The service in the scope of signatures: `s3`, or that of an access point.
    #[must_use]
    pub fn service(&self) -> &str {
        &self.service
    }
}

/// Reads region and service from `X-Amz-Credential=key/date/region/service/aws4_request`.
fn scope(query: &str) -> Option<(String, String)> {
    let credential = query
        .split('&')
        .find_map(|pair| pair.strip_prefix("X-Amz-Credential="))?;
    let credential = percent_decode_str(credential).decode_utf8().ok()?;
    let mut parts = credential.rsplit('/');
    parts.next().filter(|end| *end == "aws4_request")?;
    let service = parts.next()?.to_owned();
    let region = parts.next()?.to_owned();
    Some((region, service))
}
