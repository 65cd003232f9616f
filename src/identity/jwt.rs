//! Verification of JWTs (RFC 7519): the signature and the claims.
//!
//! The settings decide which algorithms are accepted, never the JWT: with a shared secret only
//! HS256, with a set of public keys only RSA, ECDSA and EdDSA, and each key only for the algorithms
//! of its kind. So a public key cannot be used as the secret of HS256, and `none` is never
//! accepted. Keys in the header of a JWT are ignored.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use secrecy::ExposeSecret as _;

use super::claims::{Claims, Grant, Requirements};
use super::jwks::Jwks;
use super::key_set::{Found, is_public};
use crate::config::{Jwt as Settings, JwtKeys};

/// The length of the longest accepted JWT, in bytes.
const MAX_LENGTH: usize = 8 * 1024;

/// Verifies the JWTs of one issuer.
pub struct Jwt {
    keys: Keys,
    required: Requirements,
}

enum Keys {
    Secret(DecodingKey),
    Set(Arc<Jwks>),
}

/// The result of verifying a JWT.
#[derive(Debug, PartialEq, Eq)]
pub enum Verified {
    /// The JWT is valid and grants these rights.
    Valid(Grant),
    /// The JWT is invalid.
    Invalid,
    /// None of the known keys has signed the JWT. The issuer may have a new key.
    UnknownKey,
}

impl Jwt {
    /// Creates a verifier from the settings. No keys are fetched yet.
    ///
    /// # Errors
    /// If the HTTP client cannot be created.
    pub fn new(settings: &Settings) -> Result<Self, reqwest::Error> {
        let keys = match &settings.keys {
            JwtKeys::Secret(secret) => {
                Keys::Secret(DecodingKey::from_secret(secret.expose_secret().as_bytes()))
            }
            JwtKeys::Url(url) => Keys::Set(Arc::new(Jwks::new(url.clone())?)),
        };
        Ok(Self {
            keys,
            required: Requirements {
                issuer: settings.issuer.clone(),
                audience: settings.audience.clone(),
                tenant: settings.tenant_claim.clone(),
                scopes: settings.scope_claim.clone(),
            },
        })
    }

    /// Whether a text has the form of a JWT.
    pub fn has_shape(text: &str) -> bool {
        text.len() <= MAX_LENGTH && text.split('.').count() == 3
    }

    /// The source of the keys. `None` if the settings have a shared secret.
    pub fn jwks(&self) -> Option<&Arc<Jwks>> {
        match &self.keys {
            Keys::Secret(_) => None,
            Keys::Set(jwks) => Some(jwks),
        }
    }

    /// Verifies a JWT at `now` with the known keys.
    pub fn verify(&self, token: &str, now: DateTime<Utc>) -> Verified {
        let Ok(header) = decode_header(token) else {
            return Verified::Invalid;
        };
        // The header lists extensions that must be understood, and the broker knows none (RFC 7515,
        // section 4.1.11).
        if header.crit.is_some() {
            return Verified::Invalid;
        }
        let algorithm = header.alg;
        match &self.keys {
            Keys::Secret(_) if algorithm != Algorithm::HS256 => Verified::Invalid,
            Keys::Secret(key) => match self.verify_with(token, key, algorithm, now) {
                Verified::UnknownKey => Verified::Invalid,
                verified => verified,
            },
            Keys::Set(_) if !is_public(algorithm) => Verified::Invalid,
            Keys::Set(jwks) => {
                let Some(set) = jwks.current() else {
                    return Verified::UnknownKey;
                };
                let id = header.kid.as_deref();
                match set.keys.find(id, algorithm) {
                    // The issuer may have replaced the key under the same id.
                    Found::Key(key) => self.verify_with(token, key, algorithm, now),
                    Found::Unknown | Found::WrongAlgorithm => Verified::UnknownKey,
                    Found::Ambiguous => Verified::Invalid,
                }
            }
        }
    }

    fn verify_with(
        &self,
        token: &str,
        key: &DecodingKey,
        algorithm: Algorithm,
        now: DateTime<Utc>,
    ) -> Verified {
        let mut validation = Validation::new(algorithm);
        // The claims are checked below, by the clock of the broker.
        validation.required_spec_claims.clear();
        validation.validate_exp = false;
        validation.validate_aud = false;
        // The signature is verified before the claims are parsed.
        let token = match decode::<Claims>(token, key, &validation) {
            Ok(token) => token,
            Err(error) if matches!(error.kind(), ErrorKind::InvalidSignature) => {
                return Verified::UnknownKey;
            }
            Err(_) => return Verified::Invalid,
        };
        let grant = token.claims.grant(&self.required, now);
        grant.map_or(Verified::Invalid, Verified::Valid)
    }
}
