//! What callers are told of a limit, before they meet it.
//!
//! Source: <https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/> (11, of 2026):
//! lists with one item a limit, `"key";q=100;w=5` and `"key";r=42;t=3`.

use std::time::Duration;

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};

use super::Taken;
use crate::config::Rate;

/// The limits that hold.
pub const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
/// What is left of them.
pub const LEFT: HeaderName = HeaderName::from_static("ratelimit");

/// Adds a limit, before those of inner layers.
pub fn add(headers: &mut HeaderMap, name: &str, rate: Rate, taken: Taken) {
    let policy = format!("\"{name}\";q={};w={}", rate.burst, seconds(rate.window()));
    let left = format!("\"{name}\";r={};t={}", taken.left, seconds(taken.wait));
    prepend(headers, POLICY, policy);
    prepend(headers, LEFT, left);
}

/// Whole seconds, rounded up: a caller that waits so long has waited long enough.
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
