//! Limits of a credential beyond its tenant, its scopes and its path prefix.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::upload::Upload;

/// The limits of a credential. The default has none.
#[derive(Clone, Debug, Default)]
pub struct Bounds {
    /// The largest object that it may upload, in bytes.
    pub max_size: Option<u64>,
    /// When the credential expires. Tokens and URLs derived from it expire at the same time; upload
    /// sessions stay open.
    pub ends_at: Option<DateTime<Utc>>,
    /// The token allowances that its uploads are counted against; `None` if uses are not counted.
    pub token_allowances: Option<Arc<TokenAllowances>>,
}

impl Bounds {
    /// Whether the credential may upload the bytes of `upload`, which another credential may have
    /// created: its declared size, or else the size limit it was created with, must be within
    /// `max_size`.
    pub fn admits_size_of(&self, upload: &Upload) -> bool {
        let Some(most) = self.max_size else {
            return true;
        };
        let size = match &upload.object {
            Some(proven) => Some(proven.size),
            // A size that the client states in its acknowledge proves nothing about the bytes.
            None => upload.size_at_create().or(upload.max_size),
        };
        size.is_some_and(|size| size <= most)
    }
}

/// The allowances of an upload token and of the tokens it was derived from.
///
/// A use must fit into every one of them. Never empty.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TokenAllowances(Vec<Allowance>);

/// How much one upload token may be used.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Allowance {
    /// The token whose uses are counted.
    pub token: Uuid,
    /// The most uploads.
    pub uploads: Option<u64>,
    /// The most declared bytes of all uploads in total.
    pub bytes: Option<u64>,
    /// When the token expires; its counts are deleted after that.
    pub ends_at: DateTime<Utc>,
}

impl TokenAllowances {
    /// Returns `None` if `allowances` is empty.
    pub fn new(allowances: Vec<Allowance>) -> Option<Self> {
        (!allowances.is_empty()).then_some(Self(allowances))
    }

    /// The allowances, the oldest token first.
    pub fn as_slice(&self) -> &[Allowance] {
        &self.0
    }

    /// The smallest limit on uploads; `None` if no token has one.
    pub fn max_uploads(&self) -> Option<u64> {
        self.0.iter().filter_map(|one| one.uploads).min()
    }

    /// The smallest limit on bytes; `None` if no token has one.
    pub fn max_bytes(&self) -> Option<u64> {
        self.0.iter().filter_map(|one| one.bytes).min()
    }
}

/// Caps the lifetime of a URL so that it does not outlive the credential that asks for it.
///
/// Returns the lifetime in seconds from `now`: `seconds`, or less if the credential expires
/// earlier. S3 counts in whole seconds, and a credential in its last second gets one second.
pub fn capped_url_seconds(seconds: u32, ends_at: Option<DateTime<Utc>>, now: DateTime<Utc>) -> u32 {
    let Some(ends_at) = ends_at else {
        return seconds;
    };
    let left = (ends_at.timestamp() - now.timestamp()).max(1);
    u32::try_from(left).map_or(seconds, |left| seconds.min(left))
}

/// The smaller of two limits; `None` if neither is set.
pub fn smaller_limit(one: Option<u64>, other: Option<u64>) -> Option<u64> {
    one.into_iter().chain(other).min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn url_does_not_outlive_its_credential() {
        let at = |millis| DateTime::from_timestamp_millis(1_800_000_000_000 + millis).unwrap();
        for (end, now, expected) in [
            (None, 0, 900),
            (Some(900_000), 0, 900),
            (Some(899_000), 0, 899),
            // The fraction of the last second does not count.
            (Some(60_900), 0, 60),
            (Some(60_000), 900, 60),
            (Some(60_100), 59_900, 1),
            // A fraction of a second counts as one second, and so does an expiry in the past, as
            // clocks differ.
            (Some(500), 400, 1),
            (Some(0), 30_000, 1),
            (Some(i64::from(u32::MAX) * 2_000), 0, 900),
        ] {
            let found = capped_url_seconds(900, end.map(at), at(now));
            assert_eq!(found, expected, "{end:?} at {now}");
        }
    }
}
