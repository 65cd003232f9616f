//! Tenants: their part of a bucket and their limits.

use chrono::{DateTime, Utc};

use super::quota::Quota;

/// Whether `name` may be the name of a tenant: 1 to 63 of `a-z`, `0-9`, `_` and `-`, which starts with
/// a letter or a digit.
pub fn is_tenant_name(name: &str) -> bool {
    let allowed =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-".contains(&byte);
    name.bytes().all(allowed)
        && name.starts_with(|first: char| first.is_ascii_alphanumeric())
        && name.len() <= 63
}

/// Limits of one tenant. A limit that is not set is that of the installation. A tenant limit can
/// only narrow the limit of the installation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TenantPolicy {
    /// The lifetime of a URL in seconds if the client does not request one.
    pub url_seconds: Option<u32>,
    /// The largest lifetime of a URL in seconds.
    pub max_url_seconds: Option<u32>,
    /// The size of the largest object in bytes.
    pub max_size: Option<u64>,
    /// The content types that uploads may have, in lower case; `type/*` allows all subtypes.
    pub content_types: Option<Vec<String>>,
}

/// A row of `tenants`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tenant {
    /// The name on the command line, in tokens and in notifications.
    pub name: String,
    /// The bucket of the tenant's own; `None` for the common bucket.
    pub bucket: Option<String>,
    /// The key prefix: empty for the tenant `default`, otherwise ending with `/`.
    pub key_prefix: String,
    /// When the tenant was created.
    pub created_at: DateTime<Utc>,
    /// When the tenant was disabled. Its credentials are refused from then on.
    pub disabled_at: Option<DateTime<Utc>>,
    /// The limits for each of its uploads.
    pub policy: TenantPolicy,
    /// The limits for all of its uploads in total.
    pub quota: Quota,
    /// How many days ended uploads are kept.
    pub retention_days: Option<u32>,
}
