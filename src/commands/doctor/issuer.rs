//! `issuer`: can the key set for JWTs be loaded?

use super::context::CheckContext;
use super::verdict::Verdict;
use crate::config::JwtKeys;
use crate::identity::jwks::Jwks;

pub(super) async fn check_issuer(context: &CheckContext) -> Verdict {
    let url = match &context.settings.identity.jwt {
        None => return Verdict::ok("no JWTs are accepted"),
        Some(jwt) => match &jwt.keys {
            JwtKeys::Secret(_) => return Verdict::ok("JWTs are verified with a secret (HS256)"),
            JwtKeys::Url(url) => url,
        },
    };
    let jwks = match Jwks::new(url.clone()) {
        Ok(jwks) => jwks,
        Err(error) => return Verdict::error(&error, "check the system's certificates"),
    };
    match jwks.fetch_algorithms().await {
        Ok(algorithms) => Verdict::ok(format!(
            "the key set has {} of a supported kind: {}",
            match algorithms.len() {
                1 => "1 key".to_owned(),
                many => format!("{many} keys"),
            },
            algorithms.join(", ")
        )),
        Err(error) => Verdict::error(
            &error,
            "check BROKER_JWT_JWKS_URL and the network connection; the key set needs a signature key of \
             the kind RSA (2,048 bits or more), P-256, P-384 or Ed25519",
        ),
    }
}
