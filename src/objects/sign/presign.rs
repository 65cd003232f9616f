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

use super::Error;
use super::encode;
use super::headers::SignedHeaders;
use super::key::DayKey;
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

/// All that one URL is made of.
pub(super) struct Draft<'a> {
    pub(super) endpoint: &'a Endpoint,
    pub(super) key: &'a DayKey,
    pub(super) request: &'a PresignRequest<'a>,
    /// A whole second on the key's day.
    pub(super) second: DateTime<Utc>,
    pub(super) expires: u32,
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

impl Draft<'_> {
    /// Writes the signed URL.
    pub(super) fn sign(&self) -> Result<String, Error> {
        debug_assert!(
            self.request.query.is_sorted_by_key(|(name, _)| *name),
            "query parameters must be sorted by name"
        );
        let headers = SignedHeaders::new(self.request.headers);
        let mut out = String::with_capacity(self.capacity());
        let pieces = self.write_unsigned(&mut out, &headers);

        let unsigned = out.len();
        self.write_canonical(&mut out, &headers, &pieces)?;
        let hash = Sha256::digest(after(&out, unsigned));

        out.truncate(unsigned);
        push_all(&mut out, &["AWS4-HMAC-SHA256\n", self.key.date()]);
        encode::time_of_day(&mut out, self.second);
        push_all(&mut out, &["\n", self.key.scope(), "\n"]);
        encode::push_hex(&mut out, &hash.into());
        let signature = self.key.sign(after(&out, unsigned));

        out.truncate(unsigned);
        out.push_str("&X-Amz-Signature=");
        encode::push_hex(&mut out, &signature);
        out.push_str(self.key.token());
        Ok(out)
    }

    fn write_unsigned(&self, out: &mut String, headers: &SignedHeaders<'_>) -> Pieces {
        out.push_str(self.endpoint.origin());
        let start = out.len();
        out.push_str(self.endpoint.base_path());
        encode::key(out, self.request.key);
        let path = start..out.len();

        out.push('?');
        if let Some(operation) = self.request.operation {
            push_all(out, &["x-id=", operation, "&"]);
        }
        let start = out.len();
        for (name, value) in self.request.query {
            push_all(out, &[name, "="]);
            encode::value(out, value);
            out.push('&');
        }
        let query = start..out.len();

        let start = out.len();
        out.push_str(self.key.query());
        encode::time_of_day(out, self.second);
        out.push_str("&X-Amz-Expires=");
        encode::number(out, self.expires);
        let amz = start..out.len();

        let start = out.len();
        out.push_str("&X-Amz-SignedHeaders=");
        headers.push_names(out, "%3B");
        let signed_headers = start..out.len();
        Pieces {
            path,
            query,
            amz,
            signed_headers,
        }
    }

    /// The canonical request. Query parameters stand in the order of their encoded names:
    /// `X-Amz-…` before all lower-case ones, `x-id` last of those.
    fn write_canonical(
        &self,
        out: &mut String,
        headers: &SignedHeaders<'_>,
        pieces: &Pieces,
    ) -> Result<(), Error> {
        push_all(out, &[self.request.method, "\n"]);
        out.extend_from_within(pieces.path.clone());
        out.push('\n');

        out.extend_from_within(pieces.amz.clone());
        out.push_str(self.key.token());
        out.extend_from_within(pieces.signed_headers.clone());
        if !pieces.query.is_empty() {
            out.push('&');
            out.extend_from_within(pieces.query.start..pieces.query.end.saturating_sub(1));
        }
        if let Some(operation) = self.request.operation {
            push_all(out, &["&x-id=", operation]);
        }
        out.push('\n');

        headers.push_canonical(out, self.endpoint.host())?;
        out.push('\n');
        headers.push_names(out, ";");
        out.push_str("\nUNSIGNED-PAYLOAD");
        Ok(())
    }

    /// Room for URL and canonical request, so that the buffer does not grow under usual keys.
    fn capacity(&self) -> usize {
        let path = self.endpoint.base_path().len() + self.request.key.len() * 5 / 4;
        let query = self.request.query.iter();
        let query: usize = query
            .map(|(name, value)| name.len() + 2 * value.len())
            .sum();
        let headers = self.request.headers.iter();
        let headers: usize = headers
            .map(|(name, value)| 4 * (name.len() + 3) + value.len())
            .sum();
        self.endpoint.origin().len()
            + self.endpoint.host().len()
            + 2 * (path + query + self.key.query().len() + self.key.token().len())
            + headers
            + 256
    }
}

fn push_all(out: &mut String, parts: &[&str]) {
    for part in parts {
        out.push_str(part);
    }
}

fn after(text: &str, start: usize) -> &str {
    text.get(start..).unwrap_or_default()
}
