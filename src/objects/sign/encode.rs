//! The text formats of Signature Version 4: percent-encoding, hex, times, numbers.
//!
//! All characters except the unreserved ones of RFC 3986 are percent-encoded with upper-case hex
//! digits, and a space is `%20`: see `UriEncode()` in "Create a signed AWS API request" of the IAM
//! user guide.

use std::fmt::Write as _;

use chrono::{DateTime, Utc};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

pub(super) const SECONDS_A_DAY: i64 = 86_400;

/// The characters that are encoded in query values: all but the unreserved ones.
const VALUE: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// The characters that are encoded in object keys: as in query values, but not the slash. S3
/// encodes a key once and does not normalise it, so `//`, `.` and `..` are kept.
const KEY: &AsciiSet = &VALUE.remove(b'/');

/// Appends `text` as a query value.
pub(super) fn value(out: &mut String, text: &str) {
    out.extend(utf8_percent_encode(text, VALUE));
}

/// Appends `text` as an object key in a path.
pub(super) fn key(out: &mut String, text: &str) {
    out.extend(utf8_percent_encode(text, KEY));
}

/// Appends a SHA-256 in lower-case hex.
pub(super) fn push_hex(out: &mut String, digest: &[u8; 32]) {
    let mut text = [0; 64];
    // The buffer has exactly two characters for each byte, so this cannot fail.
    let _ = hex::encode_to_slice(digest, &mut text);
    // Hex digits are ASCII, so the default is never used.
    out.push_str(std::str::from_utf8(&text).unwrap_or_default());
}

/// Appends the time part of a basic ISO 8601 timestamp: `T000000Z`. This is ten times as fast as
/// the `format` of chrono, which parses its pattern each time.
pub(super) fn time_of_day(out: &mut String, time: DateTime<Utc>) {
    let second = time.timestamp().rem_euclid(SECONDS_A_DAY);
    out.push('T');
    for part in [second / 3_600, second / 60 % 60, second % 60] {
        let part = u8::try_from(part).unwrap_or_default();
        out.push(char::from(b'0' + part / 10));
        out.push(char::from(b'0' + part % 10));
    }
    out.push('Z');
}

/// Appends a number in decimal.
pub(super) fn number(out: &mut String, number: u32) {
    // Writing to a String cannot fail.
    let _ = write!(out, "{number}");
}

#[cfg(test)]
mod tests {
    use super::{key, push_hex, value};

    fn written(write: impl Fn(&mut String)) -> String {
        let mut out = String::new();
        write(&mut out);
        out
    }

    #[test]
    fn value_encodes_all_but_unreserved_characters() {
        let ascii: String = (0..=127).map(char::from).collect();
        let kept: String = written(|out| value(out, &ascii))
            .split('%')
            .enumerate()
            .map(|(at, chunk)| if at == 0 { chunk } else { &chunk[2..] })
            .collect();
        let unreserved =
            "-.0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz~".to_owned();
        assert_eq!(kept, unreserved);
    }

    #[test]
    fn key_keeps_only_slashes_in_addition() {
        assert_eq!(
            written(|out| key(out, "//a b/+%/ü/../*'")),
            "//a%20b/%2B%25/%C3%BC/../%2A%27"
        );
        assert_eq!(written(|out| value(out, "a/b")), "a%2Fb");
    }

    #[test]
    fn hex_is_lower_case_and_keeps_leading_zeros() {
        let digest = std::array::from_fn(|at| u8::try_from(at * 8).unwrap());
        assert_eq!(
            written(|out| push_hex(out, &digest)),
            "0008101820283038404850586068707880889098a0a8b0b8c0c8d0d8e0e8f0f8"
        );
    }
}
