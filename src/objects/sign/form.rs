//! POST forms: fields with which a page writes one object, and only the declared one.
//!
//! Not the request is signed but a policy, which lists the value of every field and the allowed sizes.
//! S3 refuses a form that differs from it. See "Authenticating Requests: Browser-Based Uploads Using
//! POST (AWS Signature Version 4)" in the S3 API reference; aws-sdk-rust has no policies.
//!
//! A form knows no `If-None-Match`: while it is valid, it replaces whatever is at its key. Use it for a
//! key that nothing else is written to.

use std::borrow::Cow;
use std::fmt;
use std::ops::RangeInclusive;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::encode;
use super::error::Error;
use super::lifetime::Lifetime;
use super::put::PutObject;
use super::signer::Signer;
use crate::objects::credentials::Credentials;

/// An object that a page may send in a form.
#[derive(Debug, Clone)]
pub struct PostForm<'a> {
    /// The object. Its precondition, its size and its checksum are not used.
    pub object: PutObject<'a>,
    /// The name of the bucket.
    pub bucket: &'a str,
    /// The allowed sizes in bytes.
    pub sizes: RangeInclusive<u64>,
}

/// A signed form. Its fields are a credential: `Debug` does not show their values.
#[derive(Clone, PartialEq, Eq)]
pub struct SignedForm {
    /// The address of the bucket, without a slash at its end if it has a path.
    pub url: String,
    /// The fields, in order. The field `file` comes after them.
    pub fields: Vec<(&'static str, String)>,
    /// When the policy expires, which is not later than the credentials do.
    pub expires_at: DateTime<Utc>,
}

impl fmt::Debug for SignedForm {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.fields.iter().map(|(name, _)| name).collect();
        out.debug_struct("SignedForm")
            .field("url", &self.url)
            .field("fields", &names)
            .field("expires_at", &self.expires_at)
            .finish()
    }
}

/// The headers of a PUT that are no fields of a form.
const NO_FIELDS: [&str; 3] = ["content-length", "if-match", "if-none-match"];

impl<'a> PostForm<'a> {
    /// The fields that describe the object.
    fn fields(&self) -> impl Iterator<Item = (&'static str, Cow<'a, str>)> {
        let object = PutObject {
            checksum: None,
            tagging: None,
            ..self.object
        };
        let headers = object.signed_headers().into_iter();
        let headers = headers.filter(|(name, _)| !NO_FIELDS.contains(name));
        std::iter::once(("success_action_status", Cow::Borrowed("201"))).chain(headers)
    }
}

impl Signer {
    /// Signs a form that writes an object. It is valid for `expires_in` seconds from `now`, but not
    /// longer than the credentials.
    ///
    /// # Errors
    /// As for [`Signer::presign`].
    pub fn post_form(
        &self,
        form: &PostForm<'_>,
        expires_in: u32,
        credentials: &Arc<Credentials>,
        now: DateTime<Utc>,
    ) -> Result<SignedForm, Error> {
        let lifetime = Lifetime::new(expires_in, credentials, now)?;
        let second = lifetime.second;
        let mut fields: Vec<(&'static str, String)> = (form.fields())
            .map(|(name, value)| (name, value.into_owned()))
            .collect();
        if let Some((name, _)) =
            (fields.iter()).find(|(_, value)| value.chars().any(|each| each.is_ascii_control()))
        {
            return Err(Error::HeaderValue((*name).to_owned()));
        }
        let (scope, date) = self.with_key(credentials, second, |key| {
            let mut date = key.date().to_owned();
            encode::time_of_day(&mut date, second);
            (key.scope().to_owned(), date)
        });
        fields.extend([
            ("bucket", form.bucket.to_owned()),
            ("X-Amz-Algorithm", "AWS4-HMAC-SHA256".to_owned()),
            (
                "X-Amz-Credential",
                format!("{}/{scope}", credentials.access_key_id()),
            ),
            ("X-Amz-Date", date),
        ]);
        if let Some(token) = credentials.session_token() {
            fields.push(("X-Amz-Security-Token", token.to_owned()));
        }
        fields.push(("key", form.object.key.to_owned()));
        let policy = policy(&form.sizes, &fields, lifetime.expires_at);
        let signature = self.sign_policy(&policy, credentials, second);
        fields.extend([("Policy", policy), ("X-Amz-Signature", signature)]);
        let endpoint = self.endpoint();
        let path = match endpoint.base_path() {
            "/" => "/",
            path => path.trim_end_matches('/'),
        };
        Ok(SignedForm {
            url: format!("{}{path}", endpoint.origin()),
            fields,
            expires_at: lifetime.expires_at,
        })
    }

    /// Signs a policy in base64 with the key of the day of `second`. The result is in hex.
    #[must_use]
    pub fn sign_policy(
        &self,
        policy: &str,
        credentials: &Arc<Credentials>,
        second: DateTime<Utc>,
    ) -> String {
        let signature = self.with_key(credentials, second, |key| key.sign(policy));
        let mut out = String::with_capacity(2 * signature.len());
        encode::push_hex(&mut out, &signature);
        out
    }
}

/// Writes the policy in base64: every field has exactly its value.
fn policy(
    sizes: &RangeInclusive<u64>,
    fields: &[(&'static str, String)],
    expires_at: DateTime<Utc>,
) -> String {
    let range = json!(["content-length-range", sizes.start(), sizes.end()]);
    let exact = fields.iter().map(|(name, value)| json!({ (*name): value }));
    let conditions: Vec<Value> = std::iter::once(range).chain(exact).collect();
    let expiration = expires_at.format("%Y-%m-%dT%H:%M:%S.000Z").to_string();
    let policy = json!({"expiration": expiration, "conditions": conditions});
    STANDARD.encode(policy.to_string())
}
