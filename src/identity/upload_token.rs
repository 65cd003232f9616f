//! Upload tokens: short-lived credentials that the broker signs, for example for browsers.
//!
//! The format is `ubt_PAYLOAD.MAC`, both in base64url: the payload is JSON, the MAC is an HMAC with
//! SHA-256 over it. A token has only letters, digits, `-`, `_` and one dot, so that it can be a
//! path segment.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit, Mac};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::claims::Grant;
use crate::domain::bounds::Allowance;
use crate::domain::prefix::PathPrefix;
use crate::domain::principal::Scope;

/// The start of every upload token. People and secret scanners recognize a leaked token by it.
const PREFIX: &str = "ubt_";
/// The length of the longest accepted token, in bytes.
const MAX_LENGTH: usize = 8 * 1024;
/// The text that is signed in front of the payload, so that no other use of the secret can produce
/// the same MAC.
const PURPOSE: &[u8] = b"upload-broker upload token 1\n";

/// The key that upload tokens are signed with.
#[derive(Clone)]
pub struct TokenKey(Hmac<Sha256>);

/// The content of an upload token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UploadToken {
    /// The rights of the token.
    pub grant: Grant,
    /// The API key that issued the token. The token is rejected once that key is.
    pub key: Option<Uuid>,
    /// The limits on the use of this token, and of the tokens that issued it.
    pub allowances: Vec<Allowance>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Payload {
    tenant: String,
    scopes: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    prefix: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max_size: Option<u64>,
    ends: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key: Option<Uuid>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    counts: Vec<Count>,
}

/// An allowance: the id of its token, the numbers of uploads and bytes, and its expiry.
type Count = (Uuid, Option<u64>, Option<u64>, i64);

/// Whether a text has the form of an upload token.
pub fn has_shape(text: &str) -> bool {
    text.starts_with(PREFIX) && text.len() <= MAX_LENGTH
}

impl TokenKey {
    /// Derives the key from a secret of any length.
    pub fn new(secret: &[u8]) -> Self {
        #[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
        let mac = Hmac::new_from_slice(secret).expect("HMAC takes keys of any length");
        Self(mac)
    }

    /// Signs a token. Its times are truncated to seconds.
    ///
    /// # Errors
    /// If the payload cannot be serialized, which is a fault of the broker.
    pub fn sign(&self, token: &UploadToken) -> serde_json::Result<SecretString> {
        let grant = &token.grant;
        let counts = token.allowances.iter();
        let payload = serde_json::to_vec(&Payload {
            tenant: grant.tenant.clone(),
            scopes: (grant.scopes.iter())
                .map(|scope| scope.as_str().to_owned())
                .collect(),
            prefix: grant.prefix.as_ref().map(ToString::to_string),
            max_size: grant.max_size,
            ends: grant.ends_at.timestamp(),
            key: token.key,
            counts: counts
                .map(|one| (one.token, one.uploads, one.bytes, one.ends_at.timestamp()))
                .collect(),
        })?;
        let payload = URL_SAFE_NO_PAD.encode(payload);
        let mac: [u8; 32] = self.mac(&payload).finalize().into_bytes().into();
        let mac = Zeroizing::new(URL_SAFE_NO_PAD.encode(Zeroizing::new(mac)));
        // Allocated at once with the final length, because a growing string leaves copies in
        // memory.
        Ok([PREFIX, &payload, ".", &mac].concat().into())
    }

    /// Returns the content of a token, if it was signed with this key. The expiry is not checked.
    pub fn verify(&self, text: &str) -> Option<UploadToken> {
        let (payload, mac) = text.strip_prefix(PREFIX)?.split_once('.')?;
        let mac = Zeroizing::new(URL_SAFE_NO_PAD.decode(mac).ok()?);
        // The comparison takes constant time.
        self.mac(payload).verify_slice(&mac).ok()?;
        let payload = URL_SAFE_NO_PAD.decode(payload).ok()?;
        let payload: Payload = serde_json::from_slice(&payload).ok()?;
        let scopes: Result<Vec<Scope>, _> =
            payload.scopes.iter().map(|name| name.parse()).collect();
        let allowance = |(token, uploads, bytes, ends): Count| {
            Some(Allowance {
                token,
                uploads,
                bytes,
                ends_at: time(ends)?,
            })
        };
        Some(UploadToken {
            grant: Grant {
                tenant: payload.tenant,
                scopes: scopes.ok()?,
                prefix: PathPrefix::parse(&payload.prefix.unwrap_or_default()).ok()?,
                max_size: payload.max_size,
                ends_at: time(payload.ends)?,
                subject: None,
            },
            key: payload.key,
            allowances: payload
                .counts
                .into_iter()
                .map(allowance)
                .collect::<Option<_>>()?,
        })
    }

    fn mac(&self, payload: &str) -> Hmac<Sha256> {
        let mut mac = self.0.clone();
        mac.update(PURPOSE);
        mac.update(payload.as_bytes());
        mac
    }
}

fn time(seconds: i64) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp(seconds, 0)
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    fn token() -> UploadToken {
        let ends_at = time(1_760_000_000).unwrap();
        UploadToken {
            grant: Grant {
                tenant: "acme".into(),
                scopes: vec![Scope::UploadsWrite, Scope::UploadsRead],
                prefix: PathPrefix::parse("/in/").unwrap(),
                max_size: Some(7),
                ends_at,
                subject: None,
            },
            key: Some(Uuid::nil()),
            allowances: vec![Allowance {
                token: Uuid::max(),
                uploads: Some(3),
                bytes: None,
                ends_at,
            }],
        }
    }

    #[test]
    fn verify_accepts_only_tokens_of_the_same_key() {
        let key = TokenKey::new(b"one");
        let signed = key.sign(&token()).unwrap();
        let text = signed.expose_secret();
        assert!(has_shape(text), "{text}");
        assert_eq!(key.verify(text), Some(token()));
        assert_eq!(TokenKey::new(b"other").verify(text), None);
    }

    #[test]
    fn verify_rejects_any_changed_character() {
        let key = TokenKey::new(b"one");
        let signed = key.sign(&token()).unwrap();
        let text = signed.expose_secret();
        for at in 0..text.len() {
            let mut changed = text.as_bytes().to_vec();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            assert_eq!(key.verify(&changed), None, "{changed}");
            assert_eq!(key.verify(&text[..at]), None, "{at}");
        }
        assert_eq!(key.verify(&format!("{text}A")), None);
    }
}
