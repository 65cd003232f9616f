//! Authenticates a JWT of the issuer.
//!
//! If the JWT names an unknown key, the keys are fetched from the issuer, at a limited rate and by
//! one caller at a time. If the issuer does not answer, it is unknown whether the JWT is valid, and
//! the answer is a 503.

use std::sync::Arc;

use super::{Hash, fingerprint, principal};
use crate::domain::principal::Credential;
use crate::identity::jwt::{Jwt, Verified};
use crate::usecases::context::{Broker, CachedKey};
use crate::usecases::error::{Dependency, Error, Result};

pub(super) async fn load(
    broker: &Arc<Broker>,
    jwt: &Jwt,
    bearer: &str,
    hash: Hash,
) -> Result<Option<CachedKey>> {
    let now = broker.clock.now();
    if jwt.jwks().is_some_and(|jwks| jwks.is_expired(now)) {
        // If the issuer does not answer, the cached keys are still used.
        refresh(broker, jwt).await?.ok();
    } else if let Some(jwks) = jwt.jwks().filter(|jwks| jwks.is_stale(now)) {
        // No request waits for the refresh; the cached keys are used meanwhile.
        let jwks = Arc::clone(jwks);
        broker.tasks.spawn(async move { jwks.refresh(now).await });
    }
    let grant = match jwt.verify(bearer, now) {
        Verified::Valid(grant) => grant,
        Verified::Invalid => return Ok(None),
        Verified::UnknownKey => {
            let fetched = refresh(broker, jwt).await?;
            match (jwt.verify(bearer, now), fetched) {
                (Verified::Valid(grant), _) => grant,
                (Verified::UnknownKey, Err(cause)) => return Err(cause),
                _ => return Ok(None),
            }
        }
    };
    let subject = grant.subject.clone();
    let subject = subject.unwrap_or_else(|| fingerprint(&hash));
    principal::from_grant(broker, grant, Credential::Jwt(subject), None, None).await
}

/// Fetches the keys from the issuer, unless that was done a moment ago. Returns the outcome of the
/// fetch.
async fn refresh(broker: &Arc<Broker>, jwt: &Jwt) -> Result<Result<()>> {
    let Some(jwks) = jwt.jwks().map(Arc::clone) else {
        return Ok(Ok(()));
    };
    let now = broker.clock.now();
    // The fetch runs on the process's own runtime, so it continues for other callers if this one
    // disconnects.
    let fetched = broker
        .tasks
        .spawn(async move { jwks.refresh(now).await })
        .await;
    let fetched = fetched.map_err(|died| Error::Internal(died.into()))?;
    Ok(fetched.map_err(|cause| Error::unavailable(Dependency::Issuer, cause)))
}
