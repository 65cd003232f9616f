//! UploadPart: one URL for each part of a multipart upload, exactly as long as it was planned.
//!
//! An upload has up to 10,000 parts, and their URLs differ in little: number, length, checksum.
//! So what is equal is done once: the key is encoded, the canonical request is hashed as far as
//! the part's number, and the string to sign is fed to the HMAC as far as that hash. What is left
//! for one URL is one allocation and some eight SHA-256 blocks, however long the key or the
//! session token.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};

use super::headers::SignedHeaders;
use super::key::DayKey;
use super::{Checksum, Error, Presigned, Signer, encode, lifetime};
use crate::objects::credentials::Credentials;
use crate::objects::endpoint::Endpoint;

/// One part that a client may PUT, as often as the URL lives: the last one counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UploadPart<'a> {
    /// 1 to 10,000.
    pub number: u32,
    /// The exact size in bytes; signed, and refused by S3 where it differs.
    pub size: u64,
    /// The checksum of the part's bytes; the client must send the header. S3 takes it only of the
    /// algorithm that the upload was created with.
    pub checksum: Option<Checksum<'a>>,
}

/// Signs the parts of one upload, at one time. Holds a key: no `Debug`.
pub struct PartSigner {
    endpoint: Arc<Endpoint>,
    mac: Hmac<Sha256>,
    expires_at: DateTime<Utc>,
    /// The URL as far as the part's number.
    before: String,
    /// The URL from behind it to `X-Amz-Expires`.
    behind: String,
    /// What follows the signature.
    token: String,
    /// The canonical request as far as the names of the signed headers.
    canonical: String,
    /// The end of the canonical query, behind the part's number.
    query_end: String,
    /// Of the last part that was signed: the next one is most often like it.
    form: Form,
    scratch: String,
}

/// What parts with the same signed headers share.
struct Form {
    /// The header of the checksum.
    checksum: Option<&'static str>,
    /// Hashed as far as the part's number.
    hash: Sha256,
    /// `&X-Amz-SignedHeaders=…&X-Amz-Signature=`.
    url: String,
    /// The last lines of the canonical request.
    end: String,
}

impl Form {
    /// Hashes `canonical` and what follows it as far as the part's number.
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
    /// Prepares to sign parts of the upload that S3 calls `upload_id`, as
    /// [`presign`](Signer::presign) would at `now`.
    ///
    /// # Errors
    /// Expired credentials, a lifetime out of bounds.
    pub fn upload_parts(
        &self,
        key: &str,
        upload_id: &str,
        expires_in: u32,
        credentials: &Arc<Credentials>,
        now: DateTime<Utc>,
    ) -> Result<PartSigner, Error> {
        let second = DateTime::from_timestamp(now.timestamp(), 0).ok_or(Error::Time(now))?;
        let expires = lifetime(expires_in, credentials, second)?;
        let expires_at = second
            .checked_add_signed(TimeDelta::seconds(expires.into()))
            .ok_or(Error::Time(now))?;
        Ok(self.with_key(credentials, second, |day| {
            let mut amz = day.query().to_owned();
            encode::time_of_day(&mut amz, second);
            amz.push_str("&X-Amz-Expires=");
            encode::number(&mut amz, expires);
            let mut path = self.endpoint.base_path().to_owned();
            encode::key(&mut path, key);
            let mut id = String::from("&uploadId=");
            encode::value(&mut id, upload_id);
            let canonical = format!("PUT\n{path}\n{amz}{}&X-Amz-SignedHeaders=", day.token());
            PartSigner {
                endpoint: Arc::clone(&self.endpoint),
                mac: begin(day, second),
                expires_at,
                before: format!(
                    "{}{path}?x-id=UploadPart&partNumber=",
                    self.endpoint.origin()
                ),
                behind: format!("{id}&{amz}"),
                token: day.token().to_owned(),
                query_end: format!("{id}&x-id=UploadPart\n"),
                form: Form::new(&canonical, None),
                canonical,
                scratch: String::new(),
            }
        }))
    }
}

/// The HMAC of the string to sign, as far as the hash in it.
fn begin(day: &DayKey, second: DateTime<Utc>) -> Hmac<Sha256> {
    let mut start = format!("AWS4-HMAC-SHA256\n{}", day.date());
    encode::time_of_day(&mut start, second);
    start.push('\n');
    start.push_str(day.scope());
    start.push('\n');
    day.begin(&start)
}

impl PartSigner {
    /// When the URLs stop working.
    #[must_use]
    pub fn expires_at(&self) -> DateTime<Utc> {
        self.expires_at
    }

    /// Signs the URL of one part.
    ///
    /// # Errors
    /// A checksum that HTTP cannot carry.
    pub fn sign(&mut self, part: &UploadPart<'_>) -> Result<Presigned, Error> {
        let header = part.checksum.map(|checksum| checksum.header);
        if self.form.checksum != header {
            self.form = Form::new(&self.canonical, header);
        }
        let form = &self.form;
        let out = &mut self.scratch;

        out.clear();
        encode::number(out, part.number);
        let number = out.len();
        out.push_str(&self.query_end);
        push_headers(out, part, self.endpoint.host())?;
        out.push_str(&form.end);
        let mut hash = form.hash.clone();
        hash.update(&*out);
        let hash = hash.finalize();

        let mut url = String::with_capacity(
            self.before.len() + number + self.behind.len() + form.url.len() + 64 + self.token.len(),
        );
        url.push_str(&self.before);
        url.push_str(out.get(..number).unwrap_or_default());
        url.push_str(&self.behind);
        url.push_str(&form.url);

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

/// The canonical headers: length, host and checksum, which is also the order of their names.
fn push_headers(out: &mut String, part: &UploadPart<'_>, host: &str) -> Result<(), Error> {
    // Writing to a String cannot fail.
    let _ = writeln!(out, "content-length:{}", part.size);
    let checksum = (part.checksum).map(|checksum| (checksum.header, checksum.value.into()));
    SignedHeaders::new(checksum.as_slice()).push_canonical(out, host)
}
