//! The public keys of an issuer (RFC 7517).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Deserialize;
use serde_json::Value;

/// The length of the shortest accepted modulus of an RSA key, in bytes.
/// Source: <https://www.rfc-editor.org/rfc/rfc7518#section-3.3>
const MIN_MODULUS: usize = 256;
/// The number of keys of a set that are read.
const MAX_KEYS: usize = 100;

/// The keys that JWTs may be signed with.
#[derive(Debug)]
pub(super) struct KeySet(Vec<Key>);

/// A key and its algorithms: the one that the key names, or otherwise all algorithms of its kind.
#[derive(Debug)]
struct Key {
    id: Option<String>,
    algorithms: Vec<Algorithm>,
    key: DecodingKey,
}

/// The algorithms of RSA keys. SHA-1 and algorithms that no issuer uses are excluded.
const RSA: &[(Algorithm, KeyAlgorithm)] = &[
    (Algorithm::RS256, KeyAlgorithm::RS256),
    (Algorithm::RS384, KeyAlgorithm::RS384),
    (Algorithm::RS512, KeyAlgorithm::RS512),
    (Algorithm::PS256, KeyAlgorithm::PS256),
];
const P256: &[(Algorithm, KeyAlgorithm)] = &[(Algorithm::ES256, KeyAlgorithm::ES256)];
const P384: &[(Algorithm, KeyAlgorithm)] = &[(Algorithm::ES384, KeyAlgorithm::ES384)];
const ED25519: &[(Algorithm, KeyAlgorithm)] = &[(Algorithm::EdDSA, KeyAlgorithm::EdDSA)];

/// Whether this is an algorithm of public keys.
pub(super) fn is_public(algorithm: Algorithm) -> bool {
    let all = [RSA, P256, P384, ED25519];
    all.iter()
        .copied()
        .flatten()
        .any(|(known, _)| *known == algorithm)
}

/// The result of looking up the key of a JWT.
#[derive(Debug)]
pub(super) enum Found<'a> {
    /// The key.
    Key(&'a DecodingKey),
    /// The set has no such key.
    Unknown,
    /// The key with this id is for other algorithms.
    WrongAlgorithm,
    /// The JWT names no key id, and several keys have its algorithm.
    Ambiguous,
}

#[derive(Deserialize)]
struct Document {
    keys: Vec<Value>,
}

impl KeySet {
    /// Parses a key set. Keys of other kinds, and keys that are not for signatures, are ignored.
    /// `None` if the text is not a key set.
    pub(super) fn parse(text: &[u8]) -> Option<Self> {
        let document: Document = serde_json::from_slice(text).ok()?;
        let keys = document.keys.into_iter().take(MAX_KEYS);
        Some(Self(keys.filter_map(Key::parse).collect()))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The first algorithm of each key.
    pub(super) fn algorithms(&self) -> Vec<&'static str> {
        // Every key in a set has at least one algorithm.
        let first = |key: &Key| key.algorithms.first().copied().map_or("none", name);
        self.0.iter().map(first).collect()
    }

    /// Finds the key with this id, or, without an id, the only key with this algorithm.
    pub(super) fn find(&self, id: Option<&str>, algorithm: Algorithm) -> Found<'_> {
        let fits = |key: &&Key| key.algorithms.contains(&algorithm);
        if let Some(id) = id {
            let mut named = (self.0.iter()).filter(|key| key.id.as_deref() == Some(id));
            return match named.clone().find(fits) {
                Some(key) => Found::Key(&key.key),
                None if named.next().is_some() => Found::WrongAlgorithm,
                None => Found::Unknown,
            };
        }
        let mut fitting = self.0.iter().filter(fits);
        match (fitting.next(), fitting.next()) {
            (Some(key), None) => Found::Key(&key.key),
            (None, _) => Found::Unknown,
            (Some(_), Some(_)) => Found::Ambiguous,
        }
    }
}

impl Key {
    fn parse(value: Value) -> Option<Self> {
        let jwk: Jwk = serde_json::from_value(value).ok()?;
        let common = &jwk.common;
        let is_for_signing = matches!(common.public_key_use, None | Some(PublicKeyUse::Signature));
        let of_kind = match &jwk.algorithm {
            AlgorithmParameters::RSA(rsa) if is_long(&rsa.n) => RSA,
            AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P256 => P256,
            AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P384 => P384,
            AlgorithmParameters::OctetKeyPair(key) if key.curve == EllipticCurve::Ed25519 => {
                ED25519
            }
            // A published symmetric key is not secret.
            _ => return None,
        };
        let named = common.key_algorithm;
        let algorithms: Vec<_> = (of_kind.iter())
            .filter(|(_, name)| named.is_none_or(|named| named == *name))
            .map(|(algorithm, _)| *algorithm)
            .collect();
        if !is_for_signing || algorithms.is_empty() {
            return None;
        }
        Some(Self {
            key: DecodingKey::from_jwk(&jwk).ok()?,
            id: jwk.common.key_id,
            algorithms,
        })
    }
}

fn name(algorithm: Algorithm) -> &'static str {
    match algorithm {
        Algorithm::RS256 => "RS256",
        Algorithm::RS384 => "RS384",
        Algorithm::RS512 => "RS512",
        Algorithm::PS256 => "PS256",
        Algorithm::ES256 => "ES256",
        Algorithm::ES384 => "ES384",
        Algorithm::EdDSA => "EdDSA",
        _ => "another",
    }
}

fn is_long(modulus: &str) -> bool {
    let modulus = URL_SAFE_NO_PAD.decode(modulus).unwrap_or_default();
    let zeros = modulus.iter().take_while(|byte| **byte == 0).count();
    modulus.len() - zeros >= MIN_MODULUS
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
    fn parse_keeps_only_public_signing_keys() {
        let point = URL_SAFE_NO_PAD.encode([7; 32]);
        let ec = json!({"kty": "EC", "crv": "P-256", "x": point, "y": point});
        let ed = json!({"kty": "OKP", "crv": "Ed25519", "x": point});
        let long = URL_SAFE_NO_PAD.encode([7; 48]);
        let large = json!({"kty": "EC", "crv": "P-384", "x": long, "y": long});
        for good in [
            rsa(256),
            with(rsa(256), "alg", "RS256"),
            with(rsa(256), "alg", "RS384"),
            with(rsa(256), "alg", "RS512"),
            with(rsa(256), "alg", "PS256"),
            ec.clone(),
            large,
            ed,
        ] {
            assert_eq!(set(json!([good])).0.len(), 1, "{good}");
            assert!(set(json!([with(good, "use", "enc")])).is_empty());
        }
        for bad in [
            rsa(255),
            with(rsa(256), "alg", "HS256"),
            with(rsa(256), "alg", "RSA-OAEP"),
            with(rsa(256), "alg", "RS1"),
            with(ec.clone(), "alg", "ES384"),
            with(ec, "crv", "P-521"),
            json!({"kty": "oct", "k": point}),
            json!({"kty": "new"}),
            json!(7),
        ] {
            // The other keys of the set are kept.
            assert_eq!(set(json!([bad, rsa(256)])).0.len(), 1, "{bad}");
        }
        assert!(KeySet::parse(b"[]").is_none() && KeySet::parse(b"<html>").is_none());
    }

    #[test]
    fn find_returns_key_only_for_its_algorithms() {
        let set = set(json!([
            rsa(256),
            with(with(rsa(256), "kid", "other"), "alg", "RS256")
        ]));
        let found = |id, algorithm| set.find(id, algorithm);
        for algorithm in [Algorithm::RS256, Algorithm::RS512, Algorithm::PS256] {
            assert!(matches!(found(Some("r"), algorithm), Found::Key(_)));
        }
        for algorithm in [Algorithm::HS256, Algorithm::ES256, Algorithm::EdDSA] {
            assert!(matches!(found(Some("r"), algorithm), Found::WrongAlgorithm));
        }
        assert!(matches!(
            found(Some("other"), Algorithm::RS512),
            Found::WrongAlgorithm
        ));
        let unknown = found(Some("new"), Algorithm::RS256);
        assert!(matches!(unknown, Found::Unknown));
        assert!(matches!(found(None, Algorithm::RS256), Found::Ambiguous));
        assert!(matches!(found(None, Algorithm::RS512), Found::Key(_)));
        assert!(matches!(found(None, Algorithm::ES256), Found::Unknown));
    }
}
