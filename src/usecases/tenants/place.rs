//! The place of a tenant: its bucket and key prefix.

use crate::domain::path::MAX_KEY_BYTES;
use crate::usecases::faults::Faults;

/// The place of a new tenant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// Its own bucket; `None` for the common bucket.
    pub bucket: Option<String>,
    /// Its key prefix; `NAME/` by default.
    pub prefix: Option<String>,
}

/// Half of the longest key is reserved for paths. Segments follow the rules of paths, so that every
/// key under the prefix can be written in a URL.
pub(super) fn check_prefix(faults: &mut Faults, prefix: &str) {
    let segments = prefix.strip_suffix('/').map(|inner| inner.split('/'));
    let is_segment = |segment: &str| !["", ".", ".."].contains(&segment);
    let has_valid_segments = segments.is_some_and(|mut segments| segments.all(is_segment));
    if !has_valid_segments
        || prefix.chars().any(char::is_control)
        || prefix.len() > MAX_KEY_BYTES / 2
    {
        let detail = format!(
            "expected a prefix such as teams/acme/: it ends with a slash and does not begin with one, has no empty segment and no . or .., and has at most {} bytes",
            MAX_KEY_BYTES / 2
        );
        faults.add("/prefix", detail);
    }
}

/// Validates the name of a general purpose bucket. Source:
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html>
pub(super) fn check_bucket(faults: &mut Faults, bucket: &str) {
    let is_end = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = bucket.as_bytes();
    let ends = bytes.first().is_some_and(is_end) && bytes.last().is_some_and(is_end);
    let all = bytes
        .iter()
        .all(|byte| is_end(byte) || b".-".contains(byte));
    let is_plain = !bucket.contains("..") && !bucket.ends_with("--x-s3");
    if !(ends && all && is_plain && (3..=63).contains(&bytes.len())) {
        faults.add(
            "/bucket",
            "expected the name of a general purpose bucket: 3 to 63 of a-z, 0-9, . and -",
        );
    }
}
