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
    /// When it ends by itself, and every token that is made of it. URLs that were handed out live
    /// to their own end.
    pub ends_at: Option<DateTime<Utc>>,
    /// What it may be used for in all; `None` where nobody counts.
    pub purse: Option<Arc<Purse>>,
}

impl Bounds {
    /// Whether it may bring the bytes of an upload that somebody else may have made: its size, or
    /// the limit that it was made under, is within the bound.
    pub fn admit(&self, upload: &Upload) -> bool {
        let Some(most) = self.max_size else {
            return true;
        };
        let size = upload.declared.size.or(upload.max_size);
        size.is_some_and(|size| size <= most)
    }
}

/// What upload tokens may be used for: that of the one that is held, and those that it was made of.
/// All of them hold. Never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Purse(Vec<Allowance>);

/// What one token may be used for.
#[derive(Clone, Debug, PartialEq, Eq)]
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

impl Purse {
    /// `None` where there is nothing to count.
    pub fn new(allowances: Vec<Allowance>) -> Option<Self> {
        (!allowances.is_empty()).then_some(Self(allowances))
    }

    /// What is counted, the oldest token first.
    pub fn allowances(&self) -> &[Allowance] {
        &self.0
    }

    /// The most uploads that any of them allows.
    pub fn uploads(&self) -> Option<u64> {
        self.0.iter().filter_map(|one| one.uploads).min()
    }

    /// The most bytes that any of them allows.
    pub fn bytes(&self) -> Option<u64> {
        self.0.iter().filter_map(|one| one.bytes).min()
    }
}

/// The smaller of two bounds, where there is one.
pub fn least(one: Option<u64>, other: Option<u64>) -> Option<u64> {
    one.into_iter().chain(other).min()
}
