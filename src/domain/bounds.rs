//! How a credential is bounded beyond its tenant, its scopes and its path prefix.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::upload::Upload;

/// The bounds of a credential; by default none.
#[derive(Clone, Debug, Default)]
pub struct Bounds {
    /// The largest object that it may bring, in bytes.
    pub max_size: Option<u64>,
    /// When it ends by itself, and every token and every URL that is made of it. Sessions go on.
    pub ends_at: Option<DateTime<Utc>>,
    /// What it may be used for in all; `None` where nobody counts.
    pub token_allowances: Option<Arc<TokenAllowances>>,
}

impl Bounds {
    /// Whether it may bring the bytes of an upload that somebody else may have made: its size, or
    /// the limit that it was made under, is within the bound.
    pub fn admits_size_of(&self, upload: &Upload) -> bool {
        let Some(most) = self.max_size else {
            return true;
        };
        let size = match &upload.object {
            Some(proven) => Some(proven.size),
            // What an acknowledge claims says nothing about the bytes.
            None => upload.size_at_create().or(upload.max_size),
        };
        size.is_some_and(|size| size <= most)
    }
}

/// What upload tokens may be used for: that of the one that is held, and those that it was made of.
/// All of them hold. Never empty.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TokenAllowances(Vec<Allowance>);

/// What one token may be used for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Allowance {
    /// The token that is counted.
    pub token: Uuid,
    /// Uploads at most.
    pub uploads: Option<u64>,
    /// Declared bytes at most, all uploads together.
    pub bytes: Option<u64>,
    /// When the token ends, and with it the count.
    pub ends_at: DateTime<Utc>,
}

impl TokenAllowances {
    /// `None` where there is nothing to count.
    pub fn new(allowances: Vec<Allowance>) -> Option<Self> {
        (!allowances.is_empty()).then_some(Self(allowances))
    }

    /// What is counted, the oldest token first.
    pub fn as_slice(&self) -> &[Allowance] {
        &self.0
    }

    /// The most uploads that any of them allows.
    pub fn max_uploads(&self) -> Option<u64> {
        self.0.iter().filter_map(|one| one.uploads).min()
    }

    /// The most bytes that any of them allows.
    pub fn max_bytes(&self) -> Option<u64> {
        self.0.iter().filter_map(|one| one.bytes).min()
    }
}

/// How many seconds a URL may live that is asked to live `seconds` from `now` on, by a credential
/// that ends then: no longer than that, by S3's clock of whole seconds. A credential in its last
/// second gets one second.
pub fn capped_url_seconds(seconds: u32, ends_at: Option<DateTime<Utc>>, now: DateTime<Utc>) -> u32 {
    let Some(ends_at) = ends_at else {
        return seconds;
    };
    let left = (ends_at.timestamp() - now.timestamp()).max(1);
    u32::try_from(left).map_or(seconds, |left| seconds.min(left))
}

/// The smaller of two bounds, where there is one.
pub fn smaller_limit(one: Option<u64>, other: Option<u64>) -> Option<u64> {
    one.into_iter().chain(other).min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_ends_with_the_credential_at_the_latest() {
        let at = |millis| DateTime::from_timestamp_millis(1_800_000_000_000 + millis).unwrap();
        for (end, now, expected) in [
            (None, 0, 900),
            (Some(900_000), 0, 900),
            (Some(899_000), 0, 899),
            // It ends in the second in which it ends.
            (Some(60_900), 0, 60),
            (Some(60_000), 900, 60),
            (Some(60_100), 59_900, 1),
            // What is left of a second is one; so is nothing, where clocks differ.
            (Some(500), 400, 1),
            (Some(0), 30_000, 1),
            (Some(i64::from(u32::MAX) * 2_000), 0, 900),
        ] {
            let found = capped_url_seconds(900, end.map(at), at(now));
            assert_eq!(found, expected, "{end:?} at {now}");
        }
    }
}
