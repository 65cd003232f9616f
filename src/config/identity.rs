//! Whose tokens are believed.

use std::net::IpAddr;

use secrecy::SecretString;
use url::{Host, Url};

use super::reader::{Reader, Section};
use super::variables::{
    BROKER_JWT_AUDIENCE, BROKER_JWT_HS256_SECRET, BROKER_JWT_ISSUER, BROKER_JWT_JWKS_URL,
    BROKER_JWT_SCOPE_CLAIM, BROKER_JWT_TENANT_CLAIM, BROKER_TOKEN_SECRET,
};

/// The shortest secret of an HMAC with SHA-256, in bytes.
/// Source: <https://www.rfc-editor.org/rfc/rfc7518#section-3.2>
const SHORTEST_SECRET: usize = 32;

/// The longest name of a claim, in bytes.
const LONGEST_CLAIM: usize = 200;

/// Whose tokens are believed, beside the API keys.
#[derive(Clone, Debug)]
pub struct Identity {
    /// JWTs; without this, none is.
    pub jwt: Option<Jwt>,
    /// What upload tokens are signed with; one that Postgres keeps where it is not set.
    pub token_secret: Option<SecretString>,
}

/// Which JWTs are believed.
#[derive(Clone, Debug)]
pub struct Jwt {
    /// What they are signed with.
    pub keys: JwtKeys,
    /// Their `iss`; any, where it is not set.
    pub issuer: Option<String>,
    /// What their `aud` has to hold; not set, they must have none.
    pub audience: Option<String>,
    /// The claim that names the tenant; dots lead into objects.
    pub tenant_claim: String,
    /// The claim that holds the scopes, where it is none of the usual ones; dots lead into objects.
    pub scope_claim: Option<String>,
}

/// What JWTs are signed with.
#[derive(Clone, Debug)]
pub enum JwtKeys {
    /// HS256, with this secret.
    Secret(SecretString),
    /// With a key of the set that stands here: an RSA, ECDSA or EdDSA one.
    Url(Url),
}

impl Section for Identity {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let secret_of_jwt = reader.optional(&BROKER_JWT_HS256_SECRET, secret);
        let url = reader.optional(&BROKER_JWT_JWKS_URL, jwks_url);
        let issuer = reader.optional(&BROKER_JWT_ISSUER, text);
        let audience = reader.optional(&BROKER_JWT_AUDIENCE, text);
        let tenant_claim = reader.value(&BROKER_JWT_TENANT_CLAIM, claim);
        let scope_claim = reader.optional(&BROKER_JWT_SCOPE_CLAIM, claim);
        let token_secret = reader.optional(&BROKER_TOKEN_SECRET, secret)?;
        let (issuer, audience) = (issuer?, audience?);
        let keys = match (secret_of_jwt?, url?) {
            (None, None) => None,
            (Some(secret), None) => Some(JwtKeys::Secret(secret)),
            (None, Some(url)) => Some(JwtKeys::Url(url)),
            (Some(_), Some(_)) => {
                let other = BROKER_JWT_JWKS_URL.name;
                let detail = format!("must not be set beside {other}: JWTs have one kind of key");
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
                // An issuer gives tokens to many services: one that is meant for another is none.
                (Some(JwtKeys::Url(_)), None) => {
                    reader.fault(variable, format!("must be set with {url}"));
                }
                (None, Some(_)) => {
                    reader.fault(variable, format!("needs {secret} or {url} beside it"));
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
            "must have at least {SHORTEST_SECRET} bytes, such as `openssl rand -base64 32` makes"
        ));
    }
    Ok(text.to_owned().into())
}

fn text(text: &str) -> Result<String, String> {
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

/// Keys that somebody else put in on their way here would make everybody an issuer.
fn jwks_url(text: &str) -> Result<Url, String> {
    let right = "must be a URL such as https://id.example.com/.well-known/jwks.json";
    let url = Url::parse(text).map_err(|error| format!("{right} ({error})"))?;
    let is_plain = url.username().is_empty() && url.password().is_none() && url.has_host();
    match url.scheme() {
        _ if !is_plain => Err(right.to_owned()),
        "https" => Ok(url),
        "http" if is_this_machine(&url) => Ok(url),
        "http" => Err("must be https; http is for this machine only".to_owned()),
        _ => Err(right.to_owned()),
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
