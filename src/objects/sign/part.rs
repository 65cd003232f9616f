//! UploadPart: a URL for each part of a multipart upload, with the exact size of the part.
//!
//! An upload has up to 10,000 parts, and their URLs differ only in number, length and checksum. So
//! the common work is done once: the key is encoded, the canonical request is hashed up to the part
//! number, and the HMAC is computed up to that hash in the string to sign. Each URL then costs one
//! allocation and about eight SHA-256 blocks, regardless of the length of the key and the session
//! token.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};

use super::encode;
use super::error::Error;
use super::headers::SignedHeaders;
use super::key::DayKey;
use super::lifetime::Lifetime;
use super::presigned::Presigned;
use super::put::Checksum;
use super::signer::Signer;
use crate::objects::credentials::Credentials;
use crate::objects::endpoint::Endpoint;

/// A part that a client may PUT. It may be sent repeatedly while the URL is valid; the last one
/// counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UploadPart<'a> {
    /// The part number, 1 to 10,000.
    pub number: u32,
    /// The exact size in bytes. It is signed, and S3 refuses another size.
    pub size: u64,
    /// The checksum of the bytes of the part, which the client must send as a header. S3 only
    /// accepts the algorithm that the multipart upload was created with.
    pub checksum: Option<Checksum<'a>>,
}

/// Signs the parts of one multipart upload at one time. It has a key and therefore no `Debug`.
pub struct PartSigner {
    endpoint: Arc<Endpoint>,
    mac: Hmac<Sha256>,
    expires_at: DateTime<Utc>,
    /// The URL up to the part number.
    before: String,
    /// The URL from after the part number to `X-Amz-Expires`.
    after: String,
    /// The security token, which follows the signature.
    token: String,
    /// The canonical request up to the names of the signed headers.
    canonical: String,
    /// The end of the canonical query, after the part number.
    query_end: String,
    /// The template of the last signed part, which usually fits the next one too.
    template: Template,
    scratch: String,
}

/// The text and the hash that all parts with the same signed headers share.
struct Template {
    /// The name of the checksum header.
    checksum: Option<&'static str>,
    /// The hash of the canonical request up to the part number.
    hash: Sha256,
    /// `&X-Amz-SignedHeaders=…&X-Amz-Signature=`.
    url: String,
    /// The last lines of the canonical request.
    end: String,
}

impl Template {
    /// Hashes `canonical` and the text that follows up to the part number.
    fn new(canonical: &str, checksum: Option<&'static str>) -> Self {
        let headers: Vec<_> = (["content-length"].into_iter().chain(checksum))
            .map(|name| (name, Cow::Borrowed("")))
            .collect();
        let headers = SignedHeaders::new(&headers);
        let (mut url, mut end) = (String::new(), String::from("\n"));
        headers.push_names(&mut url, "%3B");
        headers.push_names(&mut end, ";");
        end.push_str("\nUNSIGNED-PAYLOAD");
        let mut hash = Sha256::new_with_prefix(canonical);
        hash.update(&url);
        hash.update("&partNumber=");
        Self {
            checksum,
            hash,
            url: format!("&X-Amz-SignedHeaders={url}&X-Amz-Signature="),
            end,
        }
    }
}

impl Signer {
    /// Prepares to sign parts of the multipart upload `upload_id`, with the same result as
    /// [`presign`](Signer::presign) at `now`.
    ///
    /// # Errors
    /// The credentials have expired, or the lifetime is out of range.
    pub fn upload_parts(
        &self,
        key: &str,
        upload_id: &str,
        expires_in: u32,
        credentials: &Arc<Credentials>,
        now: DateTime<Utc>,
    ) -> Result<PartSigner, Error> {
        let Lifetime {
            second,
            expires_in,
            expires_at,
        } = Lifetime::new(expires_in, credentials, now)?;
        Ok(self.with_key(credentials, second, |day| {
            let mut amz = day.query().to_owned();
            encode::time_of_day(&mut amz, second);
            amz.push_str("&X-Amz-Expires=");
            encode::number(&mut amz, expires_in);
            let endpoint = self.shared_endpoint();
            let mut path = endpoint.base_path().to_owned();
            encode::key(&mut path, key);
            let mut id = String::from("&uploadId=");
            encode::value(&mut id, upload_id);
            let canonical = format!("PUT\n{path}\n{amz}{}&X-Amz-SignedHeaders=", day.token());
            PartSigner {
                mac: start_mac(day, second),
                expires_at,
                before: format!("{}{path}?x-id=UploadPart&partNumber=", endpoint.origin()),
                after: format!("{id}&{amz}"),
                token: day.token().to_owned(),
                query_end: format!("{id}&x-id=UploadPart\n"),
                template: Template::new(&canonical, None),
                canonical,
                scratch: String::new(),
                endpoint,
            }
        }))
    }
}

/// Starts the HMAC of the string to sign, up to the hash in it.
fn start_mac(day: &DayKey, second: DateTime<Utc>) -> Hmac<Sha256> {
    let mut start = format!("AWS4-HMAC-SHA256\n{}", day.date());
    encode::time_of_day(&mut start, second);
    start.push('\n');
    start.push_str(day.scope());
    start.push('\n');
    day.start(&start)
}

impl PartSigner {
    /// When the URLs expire.
    #[must_use]
    pub fn expires_at(&self) -> DateTime<Utc> {
        self.expires_at
    }

    /// Signs the URL of one part.
    ///
    /// # Errors
    /// The checksum cannot be sent over HTTP.
    pub fn sign(&mut self, part: &UploadPart<'_>) -> Result<Presigned, Error> {
        let header = part.checksum.map(|checksum| checksum.header);
        if self.template.checksum != header {
            self.template = Template::new(&self.canonical, header);
        }
        let template = &self.template;
        let out = &mut self.scratch;

        out.clear();
        encode::number(out, part.number);
        let number = out.len();
        out.push_str(&self.query_end);
        push_headers(out, part, self.endpoint.host())?;
        out.push_str(&template.end);
        let mut hash = template.hash.clone();
        hash.update(&*out);
        let hash = hash.finalize();

        let mut url = String::with_capacity(
            self.before.len()
                + number
                + self.after.len()
                + template.url.len()
                + 64
                + self.token.len(),
        );
        url.push_str(&self.before);
        url.push_str(out.get(..number).unwrap_or_default());
        url.push_str(&self.after);
        url.push_str(&template.url);

        out.clear();
        encode::push_hex(out, &hash.into());
        let mut mac = self.mac.clone();
        mac.update(out.as_bytes());
        encode::push_hex(&mut url, &mac.finalize().into_bytes().into());
        url.push_str(&self.token);
        Ok(Presigned {
            url,
            expires_at: self.expires_at,
        })
    }
}

/// Appends the canonical headers: length, host and checksum, which is also the order of their
/// names.
fn push_headers(out: &mut String, part: &UploadPart<'_>, host: &str) -> Result<(), Error> {
    // Writing to a String cannot fail.
    let _ = writeln!(out, "content-length:{}", part.size);
    let checksum = (part.checksum).map(|checksum| (checksum.header, checksum.value.into()));
    SignedHeaders::new(checksum.as_slice()).push_canonical(out, host)
}
