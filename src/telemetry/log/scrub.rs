//! What libraries say, less the credentials in it.
//!
//! Where `RUST_LOG` names a library, it may print whole requests: their headers, and pre-signed
//! URLs, which are credentials. What follows a word that announces one is masked, up to the end of
//! the value. Our own records never hold one, and are left as they are.

use std::borrow::Cow;
use std::ops::Range;

/// Words before a value that nobody may see, in lower case.
const ANNOUNCE: [&str; 12] = [
    "x-amz-signature",
    "x-amz-trailer-signature",
    "x-amz-credential",
    "x-amz-security-token",
    "signature=",
    "signature:",
    "credential=",
    "authorization",
    "bearer",
    "access_key_id",
    "secret_access_key",
    "session_token",
];
/// How a key, an upload token and a JWT begin, in lower case. A JWT begins with `{"`, in base64.
const KEYS: [&str; 3] = ["ubk_", "ubt_", "eyj"];
/// What may stand between such a word and its value.
const BETWEEN: [&str; 9] = ["=", ":", "\"", "\\", "'", " ", "%3d", "some(", "("];
const MASK: &str = "***";

/// The text with every credential masked.
pub(super) fn scrub(text: &str) -> Cow<'_, str> {
    // As long as the text, byte for byte.
    let lower = text.to_ascii_lowercase();
    let announced = (ANNOUNCE.iter())
        .flat_map(|word| lower.match_indices(word))
        .map(|(at, word)| value(&lower, at + word.len()));
    let keys = (KEYS.iter())
        .flat_map(|key| lower.match_indices(key))
        .map(|(at, _)| at..end(&lower, at));
    let mut values: Vec<_> = announced
        .chain(keys)
        .filter(|one| !one.is_empty())
        .collect();
    if values.is_empty() {
        return Cow::Borrowed(text);
    }
    values.sort_unstable_by_key(|value| value.start);
    let mut clean = String::with_capacity(text.len());
    let mut done = 0;
    for value in values {
        if let Some(before) = text.get(done..value.start) {
            clean.push_str(before);
            clean.push_str(MASK);
        }
        done = done.max(value.end);
    }
    clean.push_str(text.get(done..).unwrap_or_default());
    Cow::Owned(clean)
}

/// The value that is announced by a word which ends at `from`.
fn value(lower: &str, from: usize) -> Range<usize> {
    let mut start = from;
    while let Some(rest) = lower.get(start..)
        && let Some(between) = BETWEEN.iter().find(|one| rest.starts_with(**one))
    {
        start += between.len();
    }
    start..end(lower, start)
}

/// Where a value that begins at `start` ends.
fn end(lower: &str, start: usize) -> usize {
    let rest = lower.get(start..).unwrap_or_default();
    let is_over = |c: char| c.is_whitespace() || "&\"',;)}]\\<>".contains(c);
    start + rest.find(is_over).unwrap_or(rest.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_masked_in_every_form_that_libraries_print() {
        let signed = "GET /a?X-Amz-Credential=AKIA%2F2025&X-Amz-Security-Token=tok%2Fen&X-Amz-Signature=0123abcd, version";
        let key = format!("ubk_{}", "aZ0_-".repeat(8));
        for (text, clean) in [
            (
                signed,
                "GET /a?X-Amz-Credential=***&X-Amz-Security-Token=***&X-Amz-Signature=***, version",
            ),
            (
                r#"{"authorization": "AWS4-HMAC-SHA256 Credential=AKIA/2025, SignedHeaders=host, Signature=0123abcd"}"#,
                r#"{"authorization": "*** Credential=***, SignedHeaders=host, Signature=***"}"#,
            ),
            (
                r#""Authorization": "Bearer eyJ.eyJ.abc", "x-amz-security-token": "tok""#,
                r#""Authorization": "*** ***", "x-amz-security-token": "***""#,
            ),
            (
                r#"access_key_id: "AKIA", session_token: Some("tok"), expires"#,
                r#"access_key_id: "***", session_token: Some("***"), expires"#,
            ),
            (&format!("got {key}."), "got ***"),
            // A token in a path, as an HTTP library prints the request's line.
            (
                "POST /t/ubt_eyJ2IjoxfQ.c2ln/uploads HTTP/1.1",
                "POST /t/*** HTTP/1.1",
            ),
            (
                "token eyJhbGciOiJIUzI1NiJ9.e30.c2ln refused",
                "token *** refused",
            ),
            ("x-amz-signature%3D0123%26x", "x-amz-signature%3D***"),
            // The end of a body that is signed piece by piece, as bytes and as a header.
            (
                r#"b"5;chunk-signature=01ab\r\nx-amz-trailer-signature:01ab\r\n\r\n""#,
                r#"b"5;chunk-signature=***\r\nx-amz-trailer-signature:***\r\n\r\n""#,
            ),
            (
                r#""x-amz-trailer-signature": "01ab""#,
                r#""x-amz-trailer-signature": "***""#,
            ),
            ("nothing to hide: é", "nothing to hide: é"),
        ] {
            assert_eq!(scrub(text), clean);
        }
    }

    #[test]
    fn an_odd_end_harms_nobody() {
        for text in [
            "bearer",
            "bearer ",
            "authorization: \"",
            "Signature=",
            "ubk_",
            "é bearer é",
        ] {
            assert!(scrub(text).len() <= text.len() + MASK.len(), "{text}");
        }
    }
}
