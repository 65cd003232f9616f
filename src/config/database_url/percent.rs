//! Percent-decoding of the parts of a Postgres URL.

use percent_encoding::percent_decode_str;

/// Decodes a part of a URL.
///
/// # Errors
/// A phrase that says what is expected.
pub(super) fn decode(text: &str) -> Result<String, String> {
    let decoded = percent_decode_str(text).decode_utf8();
    let decoded = decoded.map_err(|_| "must be UTF-8 once it is percent-decoded".to_owned())?;
    if decoded.contains('\0') {
        return Err("must not contain a NUL character".to_owned());
    }
    Ok(decoded.into_owned())
}
