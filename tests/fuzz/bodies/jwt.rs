//! A JWT, and the claims of a JWT.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::DateTime;
use jsonwebtoken::crypto::sign;
use jsonwebtoken::{Algorithm, EncodingKey};
use serde::Deserialize;
use serde_json::Value;
use upload_broker::config::{Jwt as Settings, JwtKeys};
use upload_broker::identity::jwt::{Jwt, Verified};

const SECRET: &str = "the secret of the issuer, of 32 bytes or more";
const NOW: i64 = 1_800_000_000;
/// The allowed difference between clocks, in seconds.
const LEEWAY: i64 = 30;

/// A token is accepted only if it is signed with the secret of the issuer. Signed claims are accepted only within
/// their validity, from the issuer, and for this audience.
pub fn hold(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data)
        && let Verified::Valid(_) = judge(text)
    {
        let (message, signature) = text.rsplit_once('.').expect("three parts");
        assert_eq!(signature, mac(message, SECRET), "{text:?}");
    }
    for algorithm in ["HS256", "HS384", "RS256", "none"] {
        let header = format!(r#"{{"alg":"{algorithm}"}}"#);
        let message = format!("{}.{}", encode(header.as_bytes()), encode(data));
        let ours = judge(&format!("{message}.{}", mac(&message, SECRET)));
        let another = judge(&format!("{message}.{}", mac(&message, "another secret")));
        let unsigned = judge(&format!("{message}."));
        assert_eq!(
            (another, unsigned),
            (Verified::Invalid, Verified::Invalid),
            "{data:?}"
        );
        let Verified::Valid(grant) = ours else {
            continue;
        };
        assert_eq!(algorithm, "HS256", "{data:?}");
        let claims: Claims = serde_json::from_slice(data).expect("claims");
        assert!(claims.exp > (NOW - LEEWAY) as f64, "{claims:?}");
        let begins = claims.nbf.unwrap_or_default();
        assert!(begins < (NOW + LEEWAY + 1) as f64, "{claims:?}");
        assert_eq!(claims.iss, "issuer", "{claims:?}");
        let audience = claims.aud.as_array().cloned();
        let audience = audience.unwrap_or_else(|| vec![claims.aud.clone()]);
        assert!(audience.contains(&Value::from("broker")), "{claims:?}");
        assert_eq!(claims.tenant, grant.tenant, "{claims:?}");
    }
}

/// The claims that are checked. Other claims may have any value, such as half a surrogate pair, which is valid
/// JSON and not a valid string.
#[derive(Debug, Deserialize)]
struct Claims {
    exp: f64,
    nbf: Option<f64>,
    iss: String,
    aud: Value,
    tenant: String,
}

fn judge(text: &str) -> Verified {
    let jwt = Jwt::new(&Settings {
        keys: JwtKeys::Secret(SECRET.into()),
        issuer: Some("issuer".into()),
        audience: Some("broker".into()),
        tenant_claim: "tenant".into(),
        scope_claim: None,
    });
    let now = DateTime::from_timestamp(NOW, 0).expect("a time");
    jwt.expect("no HTTP client is made").verify(text, now)
}

fn mac(message: &str, secret: &str) -> String {
    let key = EncodingKey::from_secret(secret.as_bytes());
    sign(message.as_bytes(), &key, Algorithm::HS256).expect("a signature")
}

fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
