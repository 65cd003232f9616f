//! The response headers that state the rate limits, also to callers that have not reached them.
//!
//! Source: <https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/> (11, of 2026):
//! lists with one item per limit, `"key";q=100;w=5` and `"key";r=42;t=3`.

use std::time::Duration;

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};

use super::Taken;
use crate::config::Rate;

/// The limits.
pub const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
/// The remaining requests of each limit.
pub const REMAINING: HeaderName = HeaderName::from_static("ratelimit");

/// Adds a limit in front of those that inner layers have added.
pub fn add(headers: &mut HeaderMap, name: &str, rate: Rate, taken: Taken) {
    let policy = format!("\"{name}\";q={};w={}", rate.burst, seconds(rate.window()));
    let left = format!("\"{name}\";r={};t={}", taken.left, seconds(taken.wait));
    prepend(headers, POLICY, policy);
    prepend(headers, REMAINING, left);
}

/// Whole seconds, rounded up, so that a caller that waits for this long waits long enough.
pub fn seconds(time: Duration) -> u64 {
    time.as_secs() + u64::from(time.subsec_nanos() > 0)
}

fn prepend(headers: &mut HeaderMap, name: HeaderName, mut item: String) {
    if let Some(others) = headers.get(&name).and_then(|value| value.to_str().ok()) {
        item = format!("{item}, {others}");
    }
    if let Ok(value) = HeaderValue::from_str(&item) {
        headers.insert(name, value);
    }
}
