//! Limits and deadlines of uploads.

use std::time::Duration;

use super::content_types::ContentTypes;
use super::parse::{number, seconds};
use super::reader::{Reader, Section};
use super::variables::{
    BROKER_ALLOWED_CONTENT_TYPES, BROKER_EXPIRY_GRACE_SECONDS, BROKER_MAX_SIZE_BYTES,
    BROKER_URL_SECONDS,
};

/// A pre-signed URL of SigV4 lives for a week at most.
const WEEK: u64 = 604_800;

/// 48.8 TiB, the largest object of S3: 10,000 parts of 5 GiB.
const LARGEST_OBJECT: u64 = 10_000 * 5 * 1024 * 1024 * 1024;

/// Limits and deadlines of uploads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Uploads {
    /// How long a pre-signed URL lives when the client does not say.
    pub url_lifetime: Duration,
    /// How long after its deadline an upload may still arrive before it expires.
    pub expiry_grace: Duration,
    /// The largest upload, in bytes.
    pub max_size_bytes: u64,
    /// Content types that uploads may have.
    pub content_types: ContentTypes,
}

impl Section for Uploads {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let url_lifetime = reader.value(&BROKER_URL_SECONDS, seconds(1..=WEEK));
        let expiry_grace = reader.value(&BROKER_EXPIRY_GRACE_SECONDS, seconds(0..=WEEK));
        let max_size_bytes = reader.value(&BROKER_MAX_SIZE_BYTES, number(1..=LARGEST_OBJECT));
        let content_types = reader.optional(&BROKER_ALLOWED_CONTENT_TYPES, ContentTypes::parse);
        Some(Self {
            url_lifetime: url_lifetime?,
            expiry_grace: expiry_grace?,
            max_size_bytes: max_size_bytes?,
            content_types: content_types?.unwrap_or_default(),
        })
    }
}
