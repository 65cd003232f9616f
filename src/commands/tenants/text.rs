//! Formats tenants as text and as JSON.

use serde_json::{Value, json};

use crate::commands::output::or_dash;
use crate::domain::event::timestamp;
use crate::domain::quota::Usage;
use crate::domain::tenant::Tenant;

/// Prints all details of one tenant.
pub(super) fn show(tenant: &Tenant, usage: Usage, json: bool) {
    if json {
        let mut value = as_json(tenant);
        if let Some(members) = value.as_object_mut() {
            let usage = json!({"bytes": usage.bytes, "open_uploads": usage.open_uploads});
            members.insert("usage".into(), usage);
        }
        println!("{value}");
        return;
    }
    let (policy, quota) = (&tenant.policy, &tenant.quota);
    let types = policy.content_types.as_ref().map(|list| list.join(","));
    for (name, value) in [
        ("name", tenant.name.clone()),
        ("bucket", or_dash(tenant.bucket.as_deref())),
        (
            "key prefix",
            or_dash(Some(&tenant.key_prefix).filter(|prefix| !prefix.is_empty())),
        ),
        ("created", timestamp(tenant.created_at)),
        ("disabled", or_dash(tenant.disabled_at.map(timestamp))),
        ("quota in bytes", usage_of(usage.bytes, quota.bytes)),
        (
            "quota of open uploads",
            usage_of(usage.open_uploads, quota.open_uploads),
        ),
        ("largest dataset", or_dash(policy.max_size)),
        ("content types", or_dash(types)),
        ("URL lifetime, seconds", or_dash(policy.url_seconds)),
        ("maximum URL lifetime", or_dash(policy.max_url_seconds)),
        ("history kept, days", or_dash(tenant.retention_days)),
    ] {
        println!("{name:<22}  {value}");
    }
}

fn usage_of(in_use: u64, limit: Option<u64>) -> String {
    match limit {
        Some(limit) => format!("{in_use} of {limit} in use"),
        None => format!("-  ({in_use} in use)"),
    }
}

/// One tenant on one line.
pub(super) fn line(tenant: &Tenant) -> String {
    let state = match tenant.disabled_at {
        Some(at) => format!("disabled {}", timestamp(at)),
        None => "enabled".to_owned(),
    };
    let quota = &tenant.quota;
    format!(
        "{}  {}  bytes {}  open uploads {}  {state}",
        tenant.name,
        or_dash(Some(&tenant.key_prefix).filter(|prefix| !prefix.is_empty())),
        or_dash(quota.bytes),
        or_dash(quota.open_uploads),
    )
}

/// The stored data of a tenant.
pub(super) fn as_json(tenant: &Tenant) -> Value {
    let policy = &tenant.policy;
    json!({
        "name": tenant.name,
        "bucket": tenant.bucket,
        "key_prefix": tenant.key_prefix,
        "created_at": timestamp(tenant.created_at),
        "disabled_at": tenant.disabled_at.map(timestamp),
        "quota_bytes": tenant.quota.bytes,
        "quota_open_uploads": tenant.quota.open_uploads,
        "max_size": policy.max_size,
        "content_types": policy.content_types,
        "url_seconds": policy.url_seconds,
        "max_url_seconds": policy.max_url_seconds,
        "retention_days": tenant.retention_days,
    })
}
