//! Which tokens are accepted.

use std::net::IpAddr;

use secrecy::SecretString;
use url::{Host, Url};

use super::reader::{Reader, Section};
use super::variables::{
    BROKER_JWT_AUDIENCE, BROKER_JWT_HS256_SECRET, BROKER_JWT_HS256_SECRET_FILE, BROKER_JWT_ISSUER,
    BROKER_JWT_JWKS_URL, BROKER_JWT_SCOPE_CLAIM, BROKER_JWT_TENANT_CLAIM, BROKER_TOKEN_SECRET,
    BROKER_TOKEN_SECRET_FILE,
};

/// The minimum length in bytes of a secret for HMAC with SHA-256.
/// Source: <https://www.rfc-editor.org/rfc/rfc7518#section-3.2>
const SHORTEST_SECRET: usize = 32;

/// The maximum length of a claim name in bytes.
const LONGEST_CLAIM: usize = 200;

/// Which tokens are accepted in addition to API keys.
#[derive(Clone, Debug)]
pub struct Identity {
    /// Which JWTs are accepted; `None` if none are.
    pub jwt: Option<Jwt>,
    /// The secret that signs upload tokens; if `None`, one that is stored in Postgres.
    pub token_secret: Option<SecretString>,
}

/// Which JWTs are accepted.
#[derive(Clone, Debug)]
pub struct Jwt {
    /// The keys that verify their signatures.
    pub keys: JwtKeys,
    /// The required `iss`; any if `None`.
    pub issuer: Option<String>,
    /// The required entry of `aud`; if `None`, a JWT must have no `aud`.
    pub audience: Option<String>,
    /// The claim that names the tenant; dots address nested objects.
    pub tenant_claim: String,
    /// The claim that holds the scopes, if it is not one of the default ones; dots address nested
    /// objects.
    pub scope_claim: Option<String>,
}

/// The keys that verify the signatures of JWTs.
#[derive(Clone, Debug)]
pub enum JwtKeys {
    /// A shared secret, for HS256.
    Secret(SecretString),
    /// The URL of a key set with RSA, ECDSA or EdDSA keys.
    Url(Url),
}

impl Section for Identity {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let secret_of_jwt = reader.secret(
            &BROKER_JWT_HS256_SECRET,
            &BROKER_JWT_HS256_SECRET_FILE,
            secret,
        );
        let url = reader.optional(&BROKER_JWT_JWKS_URL, jwks_url);
        let issuer = reader.optional(&BROKER_JWT_ISSUER, any_text);
        let audience = reader.optional(&BROKER_JWT_AUDIENCE, any_text);
        let tenant_claim = reader.value(&BROKER_JWT_TENANT_CLAIM, claim);
        let scope_claim = reader.optional(&BROKER_JWT_SCOPE_CLAIM, claim);
        let token_secret =
            reader.secret(&BROKER_TOKEN_SECRET, &BROKER_TOKEN_SECRET_FILE, secret)?;
        let (issuer, audience) = (issuer?, audience?);
        let keys = match (secret_of_jwt?, url?) {
            (None, None) => None,
            (Some(secret), None) => Some(JwtKeys::Secret(secret)),
            (None, Some(url)) => Some(JwtKeys::Url(url)),
            (Some(_), Some(_)) => {
                let other = BROKER_JWT_JWKS_URL.name;
                let detail = format!(
                    "must not be set together with {other}: JWTs are verified by one kind of key"
                );
                reader.fault(&BROKER_JWT_HS256_SECRET, detail);
                None
            }
        };
        for (variable, value) in [
            (&BROKER_JWT_ISSUER, &issuer),
            (&BROKER_JWT_AUDIENCE, &audience),
        ] {
            let (secret, url) = (BROKER_JWT_HS256_SECRET.name, BROKER_JWT_JWKS_URL.name);
            match (&keys, value) {
                // An issuer issues tokens for many services, and a token for another service must
                // be rejected.
                (Some(JwtKeys::Url(_)), None) => {
                    reader.fault(variable, format!("must be set with {url}"));
                }
                (None, Some(_)) => {
                    reader.fault(
                        variable,
                        format!("must not be set without {secret} or {url}"),
                    );
                }
                _ => {}
            }
        }
        let (tenant_claim, scope_claim) = (tenant_claim?, scope_claim?);
        let jwt = keys.map(|keys| Jwt {
            keys,
            issuer,
            audience,
            tenant_claim,
            scope_claim,
        });
        Some(Self { jwt, token_secret })
    }
}

fn secret(text: &str) -> Result<SecretString, String> {
    if text.len() < SHORTEST_SECRET {
        return Err(format!(
            "must have at least {SHORTEST_SECRET} bytes, such as the output of `openssl rand -base64 32`"
        ));
    }
    Ok(text.to_owned().into())
}

fn any_text(text: &str) -> Result<String, String> {
    Ok(text.to_owned())
}

fn claim(text: &str) -> Result<String, String> {
    match text.len() <= LONGEST_CLAIM && !text.contains(char::is_control) {
        true => Ok(text.to_owned()),
        false => Err(format!(
            "must be the name of a claim, at most {LONGEST_CLAIM} bytes long, such as tenant or realm_access.roles"
        )),
    }
}

/// Parses the URL of a key set. It must be https, because a key set that was changed on the way
/// would let the attacker issue tokens.
fn jwks_url(text: &str) -> Result<Url, String> {
    let expected = "must be a URL such as https://id.example.com/.well-known/jwks.json";
    let url = Url::parse(text).map_err(|error| format!("{expected} ({error})"))?;
    let is_plain = url.username().is_empty() && url.password().is_none() && url.has_host();
    match url.scheme() {
        _ if !is_plain => Err(expected.to_owned()),
        "https" => Ok(url),
        "http" if is_this_machine(&url) => Ok(url),
        "http" => Err("must be https; http is only allowed for this machine".to_owned()),
        _ => Err(expected.to_owned()),
    }
}

fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(ip)) => IpAddr::V4(ip).is_loopback(),
        Some(Host::Ipv6(ip)) => IpAddr::V6(ip).is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}
