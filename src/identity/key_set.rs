//! The public keys of an issuer (RFC 7517).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Deserialize;
use serde_json::Value;

/// The shortest modulus of an RSA key, in bytes.
/// Source: <https://www.rfc-editor.org/rfc/rfc7518#section-3.3>
const SHORTEST_MODULUS: usize = 256;
/// Keys of a set that are looked at.
const MOST_KEYS: usize = 100;

/// Keys that JWTs may be signed with.
#[derive(Debug)]
pub(super) struct KeySet(Vec<Key>);

/// A key, and the one algorithm that it is for.
#[derive(Debug)]
struct Key {
    id: Option<String>,
    algorithm: Algorithm,
    key: DecodingKey,
}

/// Which key a JWT was signed with.
#[derive(Debug)]
pub(super) enum Found<'a> {
    Key(&'a DecodingKey),
    /// None of the set.
    Unknown,
    /// One that is for another algorithm, or nobody can tell which.
    Unfit,
}

#[derive(Deserialize)]
struct Document {
    keys: Vec<Value>,
}

impl KeySet {
    /// Reads a set. Keys of other kinds, and those that are not for signatures, are left out;
    /// nothing where the text is no set.
    pub(super) fn parse(text: &[u8]) -> Option<Self> {
        let document: Document = serde_json::from_slice(text).ok()?;
        let keys = document.keys.into_iter().take(MOST_KEYS);
        Some(Self(keys.filter_map(Key::parse).collect()))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The algorithm of each key.
    pub(super) fn algorithms(&self) -> Vec<&'static str> {
        let name = |key: &Key| match key.algorithm {
            Algorithm::ES256 => "ES256",
            Algorithm::EdDSA => "EdDSA",
            // No other kind is taken into a set.
            _ => "RS256",
        };
        self.0.iter().map(name).collect()
    }

    /// The key that a JWT names, or the only one of its algorithm.
    pub(super) fn find(&self, id: Option<&str>, algorithm: Algorithm) -> Found<'_> {
        let fits = |key: &&Key| key.algorithm == algorithm;
        if let Some(id) = id {
            let mut named = (self.0.iter()).filter(|key| key.id.as_deref() == Some(id));
            return match named.clone().find(fits) {
                Some(key) => Found::Key(&key.key),
                None if named.next().is_some() => Found::Unfit,
                None => Found::Unknown,
            };
        }
        let mut fitting = self.0.iter().filter(fits);
        match (fitting.next(), fitting.next()) {
            (Some(key), None) => Found::Key(&key.key),
            (None, _) => Found::Unknown,
            (Some(_), Some(_)) => Found::Unfit,
        }
    }
}

impl Key {
    fn parse(value: Value) -> Option<Self> {
        let jwk: Jwk = serde_json::from_value(value).ok()?;
        let common = &jwk.common;
        let is_for_signatures =
            matches!(common.public_key_use, None | Some(PublicKeyUse::Signature));
        let (algorithm, name) = match &jwk.algorithm {
            AlgorithmParameters::RSA(rsa) if is_long(&rsa.n) => {
                (Algorithm::RS256, KeyAlgorithm::RS256)
            }
            AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P256 => {
                (Algorithm::ES256, KeyAlgorithm::ES256)
            }
            AlgorithmParameters::OctetKeyPair(key) if key.curve == EllipticCurve::Ed25519 => {
                (Algorithm::EdDSA, KeyAlgorithm::EdDSA)
            }
            // A symmetric key in public is no secret.
            _ => return None,
        };
        let is_for_it = common.key_algorithm.is_none_or(|named| named == name);
        if !is_for_signatures || !is_for_it {
            return None;
        }
        Some(Self {
            key: DecodingKey::from_jwk(&jwk).ok()?,
            id: jwk.common.key_id,
            algorithm,
        })
    }
}

fn is_long(modulus: &str) -> bool {
    let modulus = URL_SAFE_NO_PAD.decode(modulus).unwrap_or_default();
    let zeros = modulus.iter().take_while(|byte| **byte == 0).count();
    modulus.len() - zeros >= SHORTEST_MODULUS
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn set(keys: Value) -> KeySet {
        KeySet::parse(json!({ "keys": keys }).to_string().as_bytes()).unwrap()
    }

    fn rsa(bytes: usize) -> Value {
        let n = URL_SAFE_NO_PAD.encode(vec![0xff; bytes]);
        json!({"kty": "RSA", "kid": "r", "n": n, "e": "AQAB"})
    }

    fn with(mut key: Value, name: &str, value: &str) -> Value {
        key[name] = json!(value);
        key
    }

    #[test]
    fn only_public_keys_for_signatures_are_taken() {
        let point = URL_SAFE_NO_PAD.encode([7; 32]);
        let ec = json!({"kty": "EC", "crv": "P-256", "x": point, "y": point});
        let ed = json!({"kty": "OKP", "crv": "Ed25519", "x": point});
        for good in [rsa(256), with(rsa(256), "alg", "RS256"), ec.clone(), ed] {
            assert_eq!(set(json!([good])).0.len(), 1, "{good}");
            assert!(set(json!([with(good, "use", "enc")])).is_empty());
        }
        for bad in [
            rsa(255),
            with(rsa(256), "alg", "HS256"),
            with(rsa(256), "alg", "RSA-OAEP"),
            with(ec, "crv", "P-384"),
            json!({"kty": "oct", "k": point}),
            json!({"kty": "new"}),
            json!(7),
        ] {
            // It does not spoil the others.
            assert_eq!(set(json!([bad, rsa(256)])).0.len(), 1, "{bad}");
        }
        assert!(KeySet::parse(b"[]").is_none() && KeySet::parse(b"<html>").is_none());
    }

    #[test]
    fn a_key_is_for_one_algorithm_only() {
        let set = set(json!([rsa(256), with(rsa(256), "kid", "other")]));
        let found = |id, algorithm| set.find(id, algorithm);
        assert!(matches!(found(Some("r"), Algorithm::RS256), Found::Key(_)));
        for algorithm in [Algorithm::HS256, Algorithm::RS512, Algorithm::ES256] {
            assert!(matches!(found(Some("r"), algorithm), Found::Unfit));
        }
        let unknown = found(Some("new"), Algorithm::RS256);
        assert!(matches!(unknown, Found::Unknown));
        assert!(matches!(found(None, Algorithm::RS256), Found::Unfit));
        assert!(matches!(found(None, Algorithm::ES256), Found::Unknown));
    }
}
