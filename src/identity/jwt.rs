//! JWTs (RFC 7519): a signature that holds, and claims that do.
//!
//! The settings choose what a JWT is signed with, never the JWT: a secret believes HS256 alone, a
//! set of public keys the RSA, ECDSA and EdDSA ones alone, each key those of its kind. So a public
//! key is no secret for HS256, and `none` is no algorithm. Keys that travel in a header are
//! ignored.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use secrecy::ExposeSecret as _;

use super::claims::{Claims, Expected, Grant};
use super::jwks::Jwks;
use super::key_set::{Found, is_public};
use crate::config::{Jwt as Settings, JwtKeys};

/// The longest JWT, in bytes.
const LONGEST: usize = 8 * 1024;

/// Whose JWTs are believed.
pub struct Jwt {
    keys: Keys,
    expected: Expected,
}

enum Keys {
    Secret(DecodingKey),
    Set(Arc<Jwks>),
}

/// What a JWT is worth.
#[derive(Debug, PartialEq, Eq)]
pub enum Verified {
    /// As much as this.
    Valid(Grant),
    /// Nothing.
    Invalid,
    /// None of the keys at hand has signed it: new ones may have come.
    UnknownKey,
}

impl Jwt {
    /// As the settings say. Nobody is asked yet.
    ///
    /// # Errors
    /// Where the HTTP client cannot be made.
    pub fn new(settings: &Settings) -> Result<Self, reqwest::Error> {
        let keys = match &settings.keys {
            JwtKeys::Secret(secret) => {
                Keys::Secret(DecodingKey::from_secret(secret.expose_secret().as_bytes()))
            }
            JwtKeys::Url(url) => Keys::Set(Arc::new(Jwks::new(url.clone())?)),
        };
        Ok(Self {
            keys,
            expected: Expected {
                issuer: settings.issuer.clone(),
                audience: settings.audience.clone(),
                tenant: settings.tenant_claim.clone(),
                scopes: settings.scope_claim.clone(),
            },
        })
    }

    /// Whether a text may be a JWT at all.
    pub fn has_shape(text: &str) -> bool {
        text.len() <= LONGEST && text.split('.').count() == 3
    }

    /// Where the keys come from, where they are not a setting.
    pub fn jwks(&self) -> Option<&Arc<Jwks>> {
        match &self.keys {
            Keys::Secret(_) => None,
            Keys::Set(jwks) => Some(jwks),
        }
    }

    /// What a JWT is worth at `now`, with the keys that are at hand.
    pub fn verify(&self, token: &str, now: DateTime<Utc>) -> Verified {
        let Ok(header) = decode_header(token) else {
            return Verified::Invalid;
        };
        // What must be understood is not (RFC 7515, section 4.1.11).
        if header.crit.is_some() {
            return Verified::Invalid;
        }
        let algorithm = header.alg;
        match &self.keys {
            Keys::Secret(_) if algorithm != Algorithm::HS256 => Verified::Invalid,
            Keys::Secret(key) => match self.check(token, key, algorithm, now) {
                Verified::UnknownKey => Verified::Invalid,
                verdict => verdict,
            },
            Keys::Set(_) if !is_public(algorithm) => Verified::Invalid,
            Keys::Set(jwks) => {
                let Some(set) = jwks.current() else {
                    return Verified::UnknownKey;
                };
                let id = header.kid.as_deref();
                match set.keys.find(id, algorithm) {
                    // Another key may have taken its place, under the same name.
                    Found::Key(key) => self.check(token, key, algorithm, now),
                    Found::Unknown | Found::Unfit => Verified::UnknownKey,
                    Found::Ambiguous => Verified::Invalid,
                }
            }
        }
    }

    fn check(
        &self,
        token: &str,
        key: &DecodingKey,
        algorithm: Algorithm,
        now: DateTime<Utc>,
    ) -> Verified {
        let mut validation = Validation::new(algorithm);
        // The claims are looked at below, by the broker's own clock.
        validation.required_spec_claims.clear();
        validation.validate_exp = false;
        validation.validate_aud = false;
        // The signature is checked before the claims are read.
        let token = match decode::<Claims>(token, key, &validation) {
            Ok(token) => token,
            Err(error) if matches!(error.kind(), ErrorKind::InvalidSignature) => {
                return Verified::UnknownKey;
            }
            Err(_) => return Verified::Invalid,
        };
        let grant = token.claims.grant(&self.expected, now);
        grant.map_or(Verified::Invalid, Verified::Valid)
    }
}
