//! A JWT issuer inside the test process: it has keys, signs tokens, and serves its key set over
//! HTTP.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use rcgen::{
    KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_ED25519, PKCS_RSA_SHA256,
};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::support::app::App;
use crate::support::shared;

pub const ISSUER: &str = "https://id.example.com";
pub const AUDIENCE: &str = "uploads";
pub const SECRET: &str = "a secret of the issuer's that is long enough";

/// A signing key and its key id.
pub struct Signer {
    pub id: String,
    pub algorithm: Algorithm,
    key: EncodingKey,
}

impl Signer {
    /// A new key of this algorithm.
    pub fn new(id: &str, algorithm: Algorithm) -> Signer {
        let pair = |kind| KeyPair::generate_for(kind).expect("a key").serialize_der();
        let key = match algorithm {
            Algorithm::HS256 => EncodingKey::from_secret(SECRET.as_bytes()),
            Algorithm::ES256 => EncodingKey::from_ec_der(&pair(&PKCS_ECDSA_P256_SHA256)),
            Algorithm::ES384 => EncodingKey::from_ec_der(&pair(&PKCS_ECDSA_P384_SHA384)),
            Algorithm::EdDSA => {
                // As PKCS#8 has it without the public half.
                let mut der = pair(&PKCS_ED25519);
                der.truncate(48);
                (der[1], der[4]) = (46, 0);
                EncodingKey::from_ed_der(&der)
            }
            // PKCS#8 has 26 bytes around a key of 2,048 bits.
            Algorithm::RS256 | Algorithm::RS384 | Algorithm::RS512 | Algorithm::PS256 => {
                EncodingKey::from_rsa_der(&pair(&PKCS_RSA_SHA256)[26..])
            }
            other => panic!("no key for {other:?}"),
        };
        Signer {
            id: id.into(),
            algorithm,
            key,
        }
    }

    /// An HS256 signer with any secret.
    pub fn of_secret(id: &str, secret: &[u8]) -> Signer {
        Signer {
            id: id.into(),
            algorithm: Algorithm::HS256,
            key: EncodingKey::from_secret(secret),
        }
    }

    /// The public key as a JWK.
    pub fn jwk(&self) -> Value {
        let jwk = Jwk::from_encoding_key(&self.key, self.algorithm).expect("a JWK");
        let mut jwk = serde_json::to_value(jwk).expect("JSON");
        jwk["kid"] = json!(self.id);
        jwk["use"] = json!("sig");
        jwk
    }

    /// A JWT with these claims.
    pub fn sign(&self, claims: &Value) -> String {
        let header = Header {
            kid: Some(self.id.clone()),
            ..Header::new(self.algorithm)
        };
        self.sign_with(&header, claims)
    }

    /// A JWT with the given header.
    pub fn sign_with(&self, header: &Header, claims: &Value) -> String {
        jsonwebtoken::encode(header, claims, &self.key).expect("a JWT")
    }
}

/// Valid claims for one hour, with `changes` applied; `null` removes a claim.
pub fn claims(app: &App, changes: Value) -> Value {
    let mut claims = json!({
        "iss": ISSUER, "aud": AUDIENCE, "sub": "ada", "exp": app.clock.now().timestamp() + 3600,
        "tenant": "default", "scope": "uploads:write uploads:read datasets:read datasets:delete processing:write",
    });
    for (name, value) in changes.as_object().expect("an object") {
        claims[name] = value.clone();
    }
    let claims_of = claims.as_object_mut().expect("an object");
    claims_of.retain(|_, value| !value.is_null());
    claims
}

/// How the issuer answers a request for its key set.
#[derive(Clone)]
pub enum Says {
    /// 200, with this body.
    Text(String),
    /// A redirect to a URL with a key set.
    Elsewhere(String),
    /// 500.
    Fault,
    /// No answer, ever.
    Silence,
}

/// Serves the key set on its own port.
pub struct Issuer {
    pub url: String,
    says: Arc<Mutex<Says>>,
    asked: Arc<AtomicUsize>,
}

impl Issuer {
    /// An issuer with these keys.
    pub fn new(keys: &[&Signer]) -> Issuer {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let url = format!(
            "http://{}/keys",
            listener.local_addr().expect("its address")
        );
        listener.set_nonblocking(true).expect("a quick socket");
        let says = Arc::new(Mutex::new(set(keys)));
        let asked = Arc::new(AtomicUsize::new(0));
        let (what, count) = (Arc::clone(&says), Arc::clone(&asked));
        shared().spawn(async move {
            let listener = TcpListener::from_std(listener).expect("a socket");
            while let Ok((client, _)) = listener.accept().await {
                let says = what.lock().expect("what it says").clone();
                count.fetch_add(1, Ordering::SeqCst);
                shared().spawn(answer(client, says));
            }
        });
        Issuer { url, says, asked }
    }

    /// Replaces the key set.
    pub fn has(&self, keys: &[&Signer]) {
        self.say(set(keys));
    }

    /// Replaces the answer.
    pub fn say(&self, says: Says) {
        *self.says.lock().expect("what it says") = says;
    }

    /// The number of requests so far.
    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

fn set(keys: &[&Signer]) -> Says {
    let keys: Vec<_> = keys.iter().map(|key| key.jwk()).collect();
    Says::Text(json!({ "keys": keys }).to_string())
}

async fn answer(mut client: TcpStream, says: Says) {
    let mut head = Vec::new();
    let mut chunk = [0; 1024];
    while !head.ends_with(b"\r\n\r\n") {
        match client.read(&mut chunk).await {
            Ok(read @ 1..) => head.extend_from_slice(&chunk[..read]),
            _ => return,
        }
    }
    let (status, more, body) = match says {
        Says::Text(text) => ("200 OK", String::new(), text),
        Says::Elsewhere(url) => ("302 Found", format!("location: {url}\r\n"), String::new()),
        Says::Fault => ("500 Oh", String::new(), "{}".to_owned()),
        Says::Silence => std::future::pending().await,
    };
    let length = body.len();
    let answer = format!(
        "HTTP/1.1 {status}\r\n{more}content-length: {length}\r\nconnection: close\r\n\r\n{body}"
    );
    // The client may have closed the connection already.
    let _ = client.write_all(answer.as_bytes()).await;
}
