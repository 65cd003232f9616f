//! The tenant: whose part of the bucket it is, and what it may.

use chrono::{DateTime, Utc};

use super::quota::Quota;

/// Limits of a tenant's own. Where one is not set, the install's holds; a limit of the install is
/// never widened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TenantPolicy {
    /// How long a URL lives where the client does not say, in seconds.
    pub url_seconds: Option<u32>,
    /// How long a URL may live at most, in seconds.
    pub max_url_seconds: Option<u32>,
    /// The largest object, in bytes.
    pub max_size: Option<u64>,
    /// Which content types uploads may have, in lower case; `type/*` means all of one type.
    pub content_types: Option<Vec<String>>,
}

/// A row of `tenants`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tenant {
    /// Names it on the command line, in tokens and in notifications.
    pub name: String,
    /// The bucket of its own; without one it lives in the common bucket.
    pub bucket: Option<String>,
    /// Its part of the bucket: empty for `default`, else ending with `/`.
    pub key_prefix: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// Since when nobody gets in with its credentials.
    pub disabled_at: Option<DateTime<Utc>>,
    /// What each of its uploads is held to.
    pub policy: TenantPolicy,
    /// What all of them together are held to.
    pub quota: Quota,
    /// How many days its uploads are kept that ended.
    pub retention_days: Option<u32>,
}
