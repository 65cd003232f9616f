//! `issuer`: can JWTs be held against their issuer's keys?

use super::patient::Patient;
use super::verdict::Verdict;
use crate::config::JwtKeys;
use crate::identity::jwks::Jwks;

pub(super) async fn check(patient: &Patient) -> Verdict {
    let url = match &patient.settings.identity.jwt {
        None => return Verdict::ok("no JWTs are believed"),
        Some(jwt) => match &jwt.keys {
            JwtKeys::Secret(_) => return Verdict::ok("JWTs are signed with a secret: HS256"),
            JwtKeys::Url(url) => url,
        },
    };
    let jwks = match Jwks::new(url.clone()) {
        Ok(jwks) => jwks,
        Err(error) => return Verdict::fault(&error, "see the system's certificates"),
    };
    match jwks.fetch_algorithms().await {
        Ok(algorithms) => Verdict::ok(format!(
            "it has {} that fit: {}",
            match algorithms.len() {
                1 => "1 key".to_owned(),
                many => format!("{many} keys"),
            },
            algorithms.join(", ")
        )),
        Err(error) => Verdict::fault(
            &error,
            "check BROKER_JWT_JWKS_URL and the way there; the set needs a key for signatures of \
             the kind RSA (2,048 bits or more), P-256, P-384 or Ed25519",
        ),
    }
}
