//! JWTs (RFC 7519): a signature that holds, and claims that do.
//!
//! The settings choose what a JWT is signed with, never the JWT: a secret believes HS256 alone, a
//! set of public keys RS256, ES256 and EdDSA alone, each key its own. So a public key is no secret
//! for HS256, and `none` is no algorithm. Keys that travel in a header are not looked at.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use secrecy::ExposeSecret as _;

use super::claims::{Claims, Grant};
use super::jwks::Jwks;
use super::key_set::Found;
use crate::config::{Jwt as Settings, JwtKeys};

/// The longest JWT, in bytes.
const LONGEST: usize = 8 * 1024;

/// Whose JWTs are believed.
pub struct Jwt {
    keys: Keys,
    issuer: Option<String>,
    audience: Option<String>,
}

enum Keys {
    Secret(DecodingKey),
    Set(Arc<Jwks>),
}

/// What a JWT is worth.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    /// As much as this.
    Good(Grant),
    /// Nothing.
    Bad,
    /// Its key is not at hand: new ones may have come.
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
            issuer: settings.issuer.clone(),
            audience: settings.audience.clone(),
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
    pub fn judge(&self, token: &str, now: DateTime<Utc>) -> Verdict {
        let Ok(header) = decode_header(token) else {
            return Verdict::Bad;
        };
        // What must be understood is not (RFC 7515, section 4.1.11).
        if header.crit.is_some() {
            return Verdict::Bad;
        }
        let algorithm = header.alg;
        match &self.keys {
            Keys::Secret(_) if algorithm != Algorithm::HS256 => Verdict::Bad,
            Keys::Secret(key) => self.check(token, key, algorithm, now),
            Keys::Set(_) if !is_public(algorithm) => Verdict::Bad,
            Keys::Set(jwks) => {
                let Some(set) = jwks.current() else {
                    return Verdict::UnknownKey;
                };
                let id = header.kid.as_deref();
                let key = match set.keys.find(id, algorithm) {
                    Found::Key(key) => key,
                    Found::Unknown => return Verdict::UnknownKey,
                    Found::Unfit => return Verdict::Bad,
                };
                match self.check(token, key, algorithm, now) {
                    // Without a name, another key may have taken its place.
                    Verdict::Bad if id.is_none() => Verdict::UnknownKey,
                    verdict => verdict,
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
    ) -> Verdict {
        let mut validation = Validation::new(algorithm);
        // The claims are looked at below, by the broker's own clock.
        validation.required_spec_claims.clear();
        validation.validate_exp = false;
        validation.validate_aud = false;
        let (issuer, audience) = (self.issuer.as_deref(), self.audience.as_deref());
        let token = decode::<Claims>(token, key, &validation).ok();
        let grant = token.and_then(|token| token.claims.grant(issuer, audience, now));
        grant.map_or(Verdict::Bad, Verdict::Good)
    }
}

const fn is_public(algorithm: Algorithm) -> bool {
    matches!(
        algorithm,
        Algorithm::RS256 | Algorithm::ES256 | Algorithm::EdDSA
    )
}
