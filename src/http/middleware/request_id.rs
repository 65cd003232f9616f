//! The id of a request, which is in its response, in all its log lines and in its problem.

use std::borrow::Cow;

use actix_web::http::header::{HeaderMap, HeaderName};
use uuid::Uuid;

use crate::telemetry::log::mask_tokens;

/// The header `x-request-id`.
pub const HEADER: HeaderName = HeaderName::from_static("x-request-id");

const MAX_LENGTH: usize = 128;

/// Chooses the id: the one that the caller sent, if it is valid (1 to 128 characters of `A-Z a-z
/// 0-9 . _ -`, and not a credential), otherwise a new UUIDv7.
pub fn choose(headers: &HeaderMap) -> String {
    headers
        .get(HEADER)
        .and_then(|value| value.to_str().ok())
        .filter(|id| is_valid(id))
        .map_or_else(|| Uuid::now_v7().to_string(), str::to_owned)
}

fn is_valid(id: &str) -> bool {
    // A credential must not be written to every log line.
    let is_credential = matches!(mask_tokens(id), Cow::Owned(_));
    !is_credential
        && (1..=MAX_LENGTH).contains(&id.len())
        && id
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_valid_id_of_caller_is_used() {
        let long = "x".repeat(MAX_LENGTH + 1);
        let key = format!("ubk_{}", "aZ0_-".repeat(8));
        for bad in ["", "a b", "a\"b", "é", &long, &key] {
            assert!(!is_valid(bad), "{bad}");
        }
        assert!(is_valid("Az09._-"));
    }
}
