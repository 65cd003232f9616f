//! Where a bucket's objects live, as a URL and as a signature see it.
//!
//! Which host serves a bucket is a long list of rules: partitions (China, GovCloud), dual-stack,
//! FIPS, accelerate, dotted names that no certificate covers, access points, custom endpoints.
//! aws-sdk-s3 carries those rules, so they are not written a second time here: one sample object
//! is presigned with the configured client at start and the answer is read out of its URL.
//!
//! Nothing here touches the network. A client without a region, or a bucket that the rules refuse,
//! is an error at start, never later.

use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sdk_s3::Client;
use aws_sdk_s3::presigning::PresigningConfig;
use percent_encoding::percent_decode_str;

/// The key of the sample. Any key will do whose encoding is itself.
const SAMPLE_KEY: &str = "sample";

/// The end of a directory bucket's name (S3 Express One Zone).
const DIRECTORY_BUCKET: &str = "--x-s3";

/// The domains of AWS.
const AWS_DOMAINS: [&str; 4] = [
    ".amazonaws.com",
    ".amazonaws.com.cn",
    ".amazonaws.eu",
    ".api.aws",
];

/// Why an endpoint could not be learnt.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The SDK's endpoint rules refuse this client and bucket; the source says why.
    #[error("the S3 client cannot presign for bucket {bucket:?}")]
    Presign {
        /// The bucket that was asked for.
        bucket: String,
        /// What the SDK said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Directory buckets sign with sessions of five minutes (`CreateSession`): too short-lived for
    /// URLs that are handed out.
    #[error("bucket {0:?} is a directory bucket (S3 Express One Zone): not supported")]
    DirectoryBucket(String),
    /// The sample came back in a form that this code does not know.
    #[error("the sample URL of bucket {bucket:?} has no readable {part}")]
    Sample {
        /// The bucket that was asked for.
        bucket: String,
        /// What was looked for in the URL.
        part: &'static str,
    },
}

/// One bucket's address: what goes before the key in a URL, and what is signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    origin: String,
    host: String,
    base_path: String,
    region: String,
    service: String,
}

impl Endpoint {
    /// Learns the address of `bucket` from the client that is configured for it.
    ///
    /// A client made for a public endpoint teaches that endpoint. The client's credentials are
    /// not asked: the sample is signed with made-up ones.
    ///
    /// # Errors
    /// When the SDK cannot resolve an endpoint (no region, a bucket name that the endpoint rules
    /// refuse), and for directory buckets.
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
        let made_up = Credentials::new("SAMPLE", "sample", None, None, "sample");
        let sample = client
            .put_object()
            .bucket(bucket)
            .key(SAMPLE_KEY)
            .customize()
            .config_override(aws_sdk_s3::config::Builder::new().credentials_provider(made_up))
            .presigned(config)
            .await
            .map_err(|error| refused(error.into()))?;
        Self::read(sample.uri()).map_err(|part| Error::Sample {
            bucket: bucket.to_owned(),
            part,
        })
    }

    /// Takes a sample URL apart; the error names the part that was not found.
    fn read(url: &str) -> Result<Self, &'static str> {
        let (address, query) = url.split_once('?').ok_or("query")?;
        let (scheme, rest) = address.split_once("://").ok_or("scheme")?;
        let (authority, path) = rest.split_once('/').ok_or("path")?;
        let base = path.strip_suffix(SAMPLE_KEY).ok_or("key")?;
        // A bucket's name put before an IPv6 literal: `http://bucket.[::1]:9000`.
        if authority.find('[').is_some_and(|at| at > 0) {
            return Err("host");
        }
        let (region, service) = scope(query).ok_or("credential scope")?;
        // The Host header leaves a scheme's own port out (RFC 9110, 7.2); the URL keeps it.
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

    /// Scheme and authority, as they begin a URL: `https://bucket.s3.eu-west-1.amazonaws.com`.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The `Host` header that a client sends there.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Whether it is AWS itself, whose S3 does all that S3 does: by the domains of its partitions
    /// ("AWS service endpoints" and "Amazon Web Services in China", AWS General Reference).
    #[must_use]
    pub fn is_aws(&self) -> bool {
        let host = self.host.split(':').next().unwrap_or_default();
        AWS_DOMAINS.iter().any(|domain| host.ends_with(domain))
    }

    /// The path before the key, encoded, with a slash at both ends: `/`, `/bucket/`.
    #[must_use]
    pub fn base_path(&self) -> &str {
        &self.base_path
    }

    /// The region that signatures are scoped to.
    #[must_use]
    pub fn region(&self) -> &str {
        &self.region
    }

    /// The service that signatures are scoped to: `s3`, or what an access point asks for.
    #[must_use]
    pub fn service(&self) -> &str {
        &self.service
    }
}

/// Region and service out of `X-Amz-Credential=key/date/region/service/aws4_request`.
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
