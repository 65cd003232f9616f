//! Signs a request with the key of the day.
//!
//! This implements "Authenticating Requests: Using Query Parameters (AWS Signature Version 4)" of
//! the S3 API reference. The URL is equal to that of aws-sdk-s3, byte for byte: `x-id` is first,
//! then the other parameters, then those of the signature, and the session token is last.
//!
//! It uses one buffer with one allocation: the URL is written up to its signature; the canonical
//! request is appended from pieces of the URL, so that nothing is encoded twice; then the buffer is
//! truncated, and the signature is appended.

use std::borrow::Cow;
use std::ops::Range;

use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};

use super::encode;
use super::error::Error;
use super::headers::SignedHeaders;
use super::key::DayKey;
use crate::objects::endpoint::Endpoint;

/// The request that a pre-signed URL allows.
#[derive(Debug, Clone, Copy)]
pub struct PresignRequest<'a> {
    /// The HTTP method in upper case.
    pub method: &'a str,
    /// The S3 operation, which the SDK sends as `x-id`; HeadObject has none.
    pub operation: Option<&'static str>,
    /// The key of the object, not encoded.
    pub key: &'a str,
    /// The headers that the client must send exactly so, in addition to `host`: with names in lower
    /// case, sorted, without duplicates.
    pub headers: &'a [(&'a str, Cow<'a, str>)],
    /// Further query parameters, sorted by name. The names need no encoding and sort between
    /// `X-Amz-…` and `x-id`, as all names of S3 do.
    pub query: &'a [(&'static str, &'a str)],
    /// The requested lifetime of the URL in seconds: 1 to 604,800.
    pub expires_in: u32,
}

/// Everything that a URL is made of.
pub(super) struct Draft<'a> {
    pub(super) endpoint: &'a Endpoint,
    pub(super) key: &'a DayKey,
    pub(super) request: &'a PresignRequest<'a>,
    /// The signing time: a whole second on the day of the key.
    pub(super) second: DateTime<Utc>,
    pub(super) expires: u32,
}

/// The positions of the parts of the URL that the canonical request repeats.
struct Pieces {
    /// The encoded path.
    path: Range<usize>,
    /// The parameters of the request, each followed by `&`.
    query: Range<usize>,
    /// From `X-Amz-Algorithm` to the end of `X-Amz-Expires`.
    amz: Range<usize>,
    /// `&X-Amz-SignedHeaders=…`.
    signed_headers: Range<usize>,
}

impl Draft<'_> {
    /// Returns the signed URL.
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

    /// Appends the canonical request. Its query parameters are in the order of their encoded names:
    /// `X-Amz-…` before all lower-case names, and `x-id` last.
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

    /// The capacity for the URL and the canonical request, so that the buffer does not grow for
    /// usual keys.
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
