//! Where a tenant lives: its bucket, and its part of it.

use crate::domain::path::MAX_KEY_BYTES;
use crate::usecases::faults::Faults;

/// Where a new tenant lives.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// A bucket of its own; without one the common bucket.
    pub bucket: Option<String>,
    /// Its part of the bucket; `NAME/` by default.
    pub prefix: Option<String>,
}

/// Half of the longest key is left for paths. Segments are as those of paths, so that every key
/// under the prefix can be written in a URL.
pub(super) fn check_prefix(faults: &mut Faults, prefix: &str) {
    let segments = prefix.strip_suffix('/').map(|inner| inner.split('/'));
    let is_segment = |segment: &str| !["", ".", ".."].contains(&segment);
    let is_whole = segments.is_some_and(|mut segments| segments.all(is_segment));
    if !is_whole || prefix.chars().any(char::is_control) || prefix.len() > MAX_KEY_BYTES / 2 {
        let detail = format!(
            "expected something like teams/acme/: it ends with a slash, begins with none, has no empty segment, no . and .., and no more than {} bytes",
            MAX_KEY_BYTES / 2
        );
        faults.add("/prefix", detail);
    }
}

/// General purpose buckets, as S3 names them. Source:
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
