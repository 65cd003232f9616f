//! The name of a request: in its answer, in every log line, in every problem.

use std::borrow::Cow;

use actix_web::http::header::{HeaderMap, HeaderName};
use uuid::Uuid;

use crate::telemetry::log::mask_tokens;

/// `x-request-id`.
pub const HEADER: HeaderName = HeaderName::from_static("x-request-id");

const MAX_LENGTH: usize = 128;

/// The caller's own where it is sane (1 to 128 of `A-Z a-z 0-9 . _ -`, and no credential), else a
/// new UUIDv7.
pub fn choose(headers: &HeaderMap) -> String {
    headers
        .get(HEADER)
        .and_then(|value| value.to_str().ok())
        .filter(|id| is_sane(id))
        .map_or_else(|| Uuid::now_v7().to_string(), str::to_owned)
}

fn is_sane(id: &str) -> bool {
    // A credential would stand in every line of the log.
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
    fn only_a_sane_id_is_taken_over() {
        let long = "x".repeat(MAX_LENGTH + 1);
        let key = format!("ubk_{}", "aZ0_-".repeat(8));
        for bad in ["", "a b", "a\"b", "é", &long, &key] {
            assert!(!is_sane(bad), "{bad}");
        }
        assert!(is_sane("Az09._-"));
    }
}
