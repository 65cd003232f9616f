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

/// A pre-signed URL of SigV4 lives for a week at most.
const WEEK: u64 = 604_800;

/// S3 keeps parts for ever; nobody works on an upload for longer than this.
const YEAR: u64 = 365 * 86_400;
const HOUR: u64 = 3_600;

/// 48.8 TiB, the largest object of S3: 10,000 parts of 5 GiB.
const LARGEST_OBJECT: u64 = 10_000 * 5 * 1024 * 1024 * 1024;

/// A part of S3 is no smaller, but the last; a single copy is no larger.
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html>
const MIN_COPY: u64 = 5 * 1024 * 1024;
const MAX_COPY: u64 = 5 * 1024 * 1024 * 1024;

/// Limits and deadlines of uploads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Uploads {
    /// How long a pre-signed URL lives when the client does not say.
    pub url_lifetime: Duration,
    /// How long after its deadline an upload may still arrive before it expires.
    pub expiry_grace: Duration,
    /// The largest upload, in bytes.
    pub max_size_bytes: u64,
    /// What is larger comes in parts where the client does not say, in bytes.
    pub multipart_threshold_bytes: u64,
    /// What is larger is copied in parts, in bytes.
    pub copy_threshold_bytes: u64,
    /// How long after its creation a session may be extended to.
    pub session_max: Duration,
    /// How long the store may take to make an object of its parts.
    pub complete_timeout: Duration,
    /// Content types that uploads may have.
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
