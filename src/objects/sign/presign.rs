//! A request and a day's key in, a URL out.
//!
//! This is "Authenticating Requests: Using Query Parameters (AWS Signature Version 4)" of the S3
//! API reference. The URL is byte for byte the one that aws-sdk-s3 makes: `x-id` first, the other
//! parameters, then the signature's own, the session token last.
//!
//! One buffer, one allocation: the URL is written up to its signature, the canonical request
//! behind it out of the pieces that stand there already (nothing is encoded twice), then cut off
//! again for the signature to follow.

use std::borrow::Cow;
use std::ops::Range;

use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};

use super::encode;
use super::key::{DayKey, SECONDS_A_DAY};
use super::{Error, headers};
use crate::objects::endpoint::Endpoint;

/// What a pre-signed URL shall allow.
#[derive(Debug, Clone, Copy)]
pub struct PresignRequest<'a> {
    /// The HTTP method, upper-case.
    pub method: &'a str,
    /// The S3 operation that the SDK names in `x-id`; HeadObject has none.
    pub operation: Option<&'static str>,
    /// The object's key, as it is, not encoded.
    pub key: &'a str,
    /// The headers that the client must send so, besides `host`: names in lower case, sorted,
    /// each once.
    pub headers: &'a [(&'a str, Cow<'a, str>)],
    /// Further query parameters, sorted by name; the names need no encoding and sort between
    /// `X-Amz-…` and `x-id`, as all of S3's do.
    pub query: &'a [(&'static str, &'a str)],
    /// How long the URL is wanted to work, in seconds: 1 to 604,800.
    pub expires_in: u32,
}

/// Writes the signed URL. `second` is a whole second on the key's day.
pub(super) fn url(
    endpoint: &Endpoint,
    key: &DayKey,
    request: &PresignRequest<'_>,
    second: DateTime<Utc>,
    expires: u32,
) -> Result<String, Error> {
    let mut out = String::with_capacity(capacity(endpoint, key, request));
    let pieces = write_unsigned(&mut out, endpoint, key, request, second, expires);

    let unsigned = out.len();
    write_canonical(&mut out, endpoint, key, request, &pieces)?;
    let hash = Sha256::digest(after(&out, unsigned));

    out.truncate(unsigned);
    out.push_str("AWS4-HMAC-SHA256\n");
    push_time(&mut out, key, second);
    out.push('\n');
    out.push_str(key.scope());
    out.push('\n');
    encode::hex(&mut out, &hash.into());
    let signature = key.sign(after(&out, unsigned));

    out.truncate(unsigned);
    out.push_str("&X-Amz-Signature=");
    encode::hex(&mut out, &signature);
    out.push_str(key.token());
    Ok(out)
}

/// Where the parts of the URL lie that the canonical request repeats.
struct Pieces {
    /// The encoded path.
    path: Range<usize>,
    /// The request's own parameters, each with a `&` behind it.
    query: Range<usize>,
    /// From `X-Amz-Algorithm` to the end of `X-Amz-Expires`.
    amz: Range<usize>,
    /// `&X-Amz-SignedHeaders=…`.
    signed_headers: Range<usize>,
}

fn write_unsigned(
    out: &mut String,
    endpoint: &Endpoint,
    key: &DayKey,
    request: &PresignRequest<'_>,
    second: DateTime<Utc>,
    expires: u32,
) -> Pieces {
    out.push_str(endpoint.origin());
    let start = out.len();
    out.push_str(endpoint.base_path());
    encode::key(out, request.key);
    let path = start..out.len();

    out.push('?');
    if let Some(operation) = request.operation {
        push_all(out, &["x-id=", operation, "&"]);
    }
    let start = out.len();
    for (name, value) in request.query {
        push_all(out, &[name, "="]);
        encode::value(out, value);
        out.push('&');
    }
    let query = start..out.len();

    let start = out.len();
    out.push_str(key.query());
    push_time_of_day(out, second);
    out.push_str("&X-Amz-Expires=");
    push_number(out, expires);
    let amz = start..out.len();

    let start = out.len();
    out.push_str("&X-Amz-SignedHeaders=");
    headers::push_names(out, request.headers, "%3B");
    Pieces {
        path,
        query,
        amz,
        signed_headers: start..out.len(),
    }
}

/// The canonical request. Query parameters stand in the order of their encoded names: `X-Amz-…`
/// before all lower-case ones, `x-id` last of those.
fn write_canonical(
    out: &mut String,
    endpoint: &Endpoint,
    key: &DayKey,
    request: &PresignRequest<'_>,
    pieces: &Pieces,
) -> Result<(), Error> {
    push_all(out, &[request.method, "\n"]);
    out.extend_from_within(pieces.path.clone());
    out.push('\n');

    out.extend_from_within(pieces.amz.clone());
    out.push_str(key.token());
    out.extend_from_within(pieces.signed_headers.clone());
    if !pieces.query.is_empty() {
        out.push('&');
        out.extend_from_within(pieces.query.start..pieces.query.end.saturating_sub(1));
    }
    if let Some(operation) = request.operation {
        push_all(out, &["&x-id=", operation]);
    }
    out.push('\n');

    headers::push_canonical(out, request.headers, endpoint.host())?;
    out.push('\n');
    headers::push_names(out, request.headers, ";");
    out.push_str("\nUNSIGNED-PAYLOAD");
    Ok(())
}

/// Room for URL and canonical request, so that the buffer does not grow under usual keys.
fn capacity(endpoint: &Endpoint, key: &DayKey, request: &PresignRequest<'_>) -> usize {
    let path = endpoint.base_path().len() + request.key.len() * 5 / 4;
    let headers = request.headers.iter();
    let names: usize = headers.clone().map(|(name, _)| name.len() + 3).sum();
    let values: usize = headers.map(|(_, value)| value.len() + 1).sum();
    let query = request.query.iter();
    let query: usize = query
        .map(|(name, value)| name.len() + 2 * value.len())
        .sum();
    endpoint.origin().len()
        + endpoint.host().len()
        + 2 * (path + query + key.query().len() + key.token().len())
        + 4 * names
        + values
        + 256
}

fn push_all(out: &mut String, parts: &[&str]) {
    for part in parts {
        out.push_str(part);
    }
}

fn after(text: &str, start: usize) -> &str {
    text.get(start..).unwrap_or_default()
}

/// `20130524T000000Z`.
fn push_time(out: &mut String, key: &DayKey, second: DateTime<Utc>) {
    out.push_str(key.date());
    push_time_of_day(out, second);
}

/// `T000000Z`. Ten times as fast as chrono's `format`, which reads its pattern anew each time.
fn push_time_of_day(out: &mut String, second: DateTime<Utc>) {
    let of_day = second.timestamp().rem_euclid(SECONDS_A_DAY);
    out.push('T');
    for part in [of_day / 3_600, of_day / 60 % 60, of_day % 60] {
        let part = u8::try_from(part).unwrap_or_default();
        out.push(char::from(b'0' + part / 10));
        out.push(char::from(b'0' + part % 10));
    }
    out.push('Z');
}

fn push_number(out: &mut String, number: u32) {
    use std::fmt::Write as _;
    // Writing to a String cannot fail.
    let _ = write!(out, "{number}");
}
