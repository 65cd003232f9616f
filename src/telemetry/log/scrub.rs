//! Masks credentials in the log records of libraries.
//!
//! A library that `RUST_LOG` names may log whole requests with their headers, and pre-signed URLs,
//! which are credentials. The value after a word that introduces a credential is masked, up to the
//! end of the value. Records of the broker never contain credentials, and are not changed.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, MatchKind};

/// The words that introduce a credential.
const INTRODUCING: [&str; 12] = [
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
/// The start of an API key, an upload token, the secret of a webhook and a JWT. A JWT starts with `{"`
/// in base64.
const TOKEN_STARTS: [&str; 4] = ["ubk_", "ubt_", WEBHOOK_SECRET_START, "eyJ"];
/// The start of the secret of a webhook.
const WEBHOOK_SECRET_START: &str = "whsec_";
/// The characters of tokens besides letters and digits.
const TOKEN_CHARS: &str = "-_.";
/// Those of the secret of a webhook, which is in base64 and may be encoded for a URL.
const WEBHOOK_SECRET_CHARS: &str = "-_.+/=%";
/// The separators between such a word and its value.
const SEPARATORS: [&str; 9] = ["=", ":", "\"", "\\", "'", " ", "%3d", "some(", "("];
const MASK: &str = "***";

/// Finds all of these words in one pass over a text, ignoring case.
static WORDS: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
    AhoCorasick::builder()
        .ascii_case_insensitive(true)
        .match_kind(MatchKind::LeftmostLongest)
        .build(INTRODUCING.iter().chain(&TOKEN_STARTS))
        .ok()
});

/// Masks all credentials in a text.
pub(in crate::telemetry) fn scrub(text: &str) -> Cow<'_, str> {
    // Building the automaton of sixteen short words cannot fail. If it did, the whole text would be
    // masked.
    let Some(words) = &*WORDS else {
        return Cow::Borrowed(MASK);
    };
    let mut clean = String::new();
    let mut done = 0;
    for word in words.find_iter(text) {
        let is_token = word.pattern().as_usize() >= INTRODUCING.len();
        let value = match is_token {
            true => word.start()..end(text, word.start()),
            false => value(text, word.end()),
        };
        if value.is_empty() || value.end <= done {
            continue;
        }
        // A value that starts within the previous one is masked with it.
        if let Some(before) = text.get(done..value.start) {
            clean.push_str(before);
            clean.push_str(MASK);
        }
        done = value.end;
    }
    if done == 0 {
        return Cow::Borrowed(text);
    }
    clean.push_str(text.get(done..).unwrap_or_default());
    Cow::Owned(clean)
}

/// Masks all API keys, upload tokens, secrets of webhooks and JWTs in a text, and nothing else: in a
/// path, the words that introduce a credential are ordinary names.
pub fn mask_tokens(text: &str) -> Cow<'_, str> {
    let (mut clean, mut found) = (String::new(), false);
    let mut rest = text;
    while let Some((start, after)) = next_token(rest) {
        let chars = match after.starts_with(WEBHOOK_SECRET_START) {
            true => WEBHOOK_SECRET_CHARS,
            false => TOKEN_CHARS,
        };
        let length = after
            .find(|c: char| !c.is_ascii_alphanumeric() && !chars.contains(c))
            .unwrap_or(after.len());
        let (token, behind) = after.split_at(length);
        let is_credential = is_token(token);
        found |= is_credential;
        clean.push_str(start);
        clean.push_str(if is_credential { MASK } else { token });
        rest = behind;
    }
    if !found {
        return Cow::Borrowed(text);
    }
    clean.push_str(rest);
    Cow::Owned(clean)
}

/// Whether a text that starts like a token is one, and not an ordinary name.
fn is_token(text: &str) -> bool {
    /// A prefix and sixteen characters.
    const MIN_LENGTH: usize = 20;
    let mut parts = text.split('.');
    let header = parts.next().unwrap_or_default();
    let is_jwt = text.starts_with("eyJ");
    header.len() >= MIN_LENGTH && (!is_jwt || parts.count() >= 2)
}

/// Splits a text in front of the first part that starts like a token.
fn next_token(text: &str) -> Option<(&str, &str)> {
    let is_start = |at: &usize| {
        let before = text.get(..*at).and_then(|before| before.chars().last());
        before.is_none_or(|before| !before.is_ascii_alphanumeric())
    };
    let starts = TOKEN_STARTS.iter().flat_map(|key| text.match_indices(key));
    let first = starts.map(|(at, _)| at).filter(is_start).min()?;
    text.split_at_checked(first)
}

/// The range of the value after an introducing word that ends at `from`.
fn value(text: &str, from: usize) -> Range<usize> {
    let mut start = from;
    while let Some(rest) = text.get(start..)
        && let Some(between) = SEPARATORS.iter().find(|one| begins(rest, one))
    {
        start += between.len();
    }
    start..end(text, start)
}

fn begins(text: &str, with: &str) -> bool {
    let start = text.get(..with.len());
    start.is_some_and(|start| start.eq_ignore_ascii_case(with))
}

/// The end of the value that starts at `start`.
fn end(text: &str, start: usize) -> usize {
    let rest = text.get(start..).unwrap_or_default();
    let is_over = |c: char| c.is_whitespace() || "&\"',;)}]\\<>".contains(c);
    start + rest.find(is_over).unwrap_or(rest.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scrub_masks_credentials_in_formats_of_libraries() {
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
            // The end of a body that is signed in chunks, as bytes and as a header.
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
    fn mask_tokens_masks_tokens_and_keeps_names() {
        let key = format!("ubk_{}", "aZ0_-".repeat(8));
        for (path, clean) in [
            (format!("/in/{key}/a.csv"), "/in/***/a.csv"),
            (format!("/{key}"), "/***"),
            (
                format!("/t/ubt_eyJ2IjoxfQeyJ2IjoxfQ.c2ln/{key}"),
                "/t/***/***",
            ),
            ("/eyJhbGciOiJIUzI1NiJ9.e30.c2ln".to_owned(), "/***"),
            (
                "/bearer/eyJ.csv/keyJob-eyJanuary/ubk_1".to_owned(),
                "/bearer/eyJ.csv/keyJob-eyJanuary/ubk_1",
            ),
            (
                "/eyJanuary-to-december-report.csv".to_owned(),
                "/eyJanuary-to-december-report.csv",
            ),
            ("/é/ubt_é".to_owned(), "/é/ubt_é"),
            (
                "id-whsec_MDEy+jQ1/jc4OTAx+jM0NTY3/Dkw+Q== x".to_owned(),
                "id-*** x",
            ),
            ("/whsec_MDEy%2BjQ1%2Fjc4OTAxNjM0/whsec_a".to_owned(), "/***"),
            ("/whsec_short/a.csv".to_owned(), "/whsec_short/a.csv"),
        ] {
            assert_eq!(mask_tokens(&path), clean);
        }
    }

    #[test]
    fn scrub_accepts_truncated_text() {
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
