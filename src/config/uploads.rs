//! Limits and deadlines of uploads.

use std::time::Duration;

use super::content_types::ContentTypes;
use super::parse::{number, seconds};
use super::reader::{Reader, Section};
use super::variables::{
    BROKER_ALLOWED_CONTENT_TYPES, BROKER_COMPLETE_TIMEOUT_SECONDS, BROKER_COPY_THRESHOLD_BYTES,
    BROKER_EXPIRY_GRACE_SECONDS, BROKER_MAX_SIZE_BYTES, BROKER_MULTIPART_THRESHOLD_BYTES,
    BROKER_SESSION_MAX_SECONDS, BROKER_URL_SECONDS,
};

/// The maximum lifetime of a pre-signed SigV4 URL in seconds: one week.
const WEEK: u64 = 604_800;

/// The maximum lifetime of a session in seconds. S3 keeps parts forever, but no upload takes longer
/// than a year.
const YEAR: u64 = 365 * 86_400;
const HOUR: u64 = 3_600;

/// The largest object of S3 in bytes: 10,000 parts of 5 GiB, which is 48.8 TiB.
const LARGEST_OBJECT: u64 = 10_000 * 5 * 1024 * 1024 * 1024;

/// The smallest part of S3 except for the last one, and the largest object that a single copy
/// request can copy, in bytes.
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html>
const MIN_COPY: u64 = 5 * 1024 * 1024;
const MAX_COPY: u64 = 5 * 1024 * 1024 * 1024;

/// Limits and deadlines of uploads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Uploads {
    /// The default lifetime of a pre-signed URL.
    pub url_lifetime: Duration,
    /// How long after its deadline an upload may still arrive before it expires.
    pub expiry_grace: Duration,
    /// The largest upload, in bytes.
    pub max_size_bytes: u64,
    /// The size in bytes above which an upload is in parts, if the client does not choose.
    pub multipart_threshold_bytes: u64,
    /// The size in bytes above which a dataset is copied in parts.
    pub copy_threshold_bytes: u64,
    /// The maximum lifetime of a session from its creation, including extensions.
    pub session_max: Duration,
    /// How long the store may take to assemble an object from its parts.
    pub complete_timeout: Duration,
    /// The content types that uploads may have.
    pub content_types: ContentTypes,
}

impl Section for Uploads {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let url_lifetime = reader.value(&BROKER_URL_SECONDS, seconds(1..=WEEK));
        let expiry_grace = reader.value(&BROKER_EXPIRY_GRACE_SECONDS, seconds(0..=WEEK));
        let max_size_bytes = reader.value(&BROKER_MAX_SIZE_BYTES, number(1..=LARGEST_OBJECT));
        let threshold = reader.value(
            &BROKER_MULTIPART_THRESHOLD_BYTES,
            number(0..=LARGEST_OBJECT),
        );
        let copy_threshold =
            reader.value(&BROKER_COPY_THRESHOLD_BYTES, number(MIN_COPY..=MAX_COPY));
        let session_max = reader.value(&BROKER_SESSION_MAX_SECONDS, seconds(1..=YEAR));
        let complete_timeout = reader.value(&BROKER_COMPLETE_TIMEOUT_SECONDS, seconds(1..=HOUR));
        let content_types = reader.optional(&BROKER_ALLOWED_CONTENT_TYPES, ContentTypes::parse);
        Some(Self {
            url_lifetime: url_lifetime?,
            expiry_grace: expiry_grace?,
            max_size_bytes: max_size_bytes?,
            multipart_threshold_bytes: threshold?,
            copy_threshold_bytes: copy_threshold?,
            session_max: session_max?,
            complete_timeout: complete_timeout?,
            content_types: content_types?.unwrap_or_default(),
        })
    }
}
