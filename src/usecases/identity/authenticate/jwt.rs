//! A JWT of the issuer.
//!
//! Where it names a key that is not at hand, the issuer is asked, once in a while and by one caller
//! at a time; where the issuer does not answer, nobody can tell whether the JWT is good, and it is
//! a 503.

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
        // Where the issuer does not answer, the keys at hand go on.
        refresh(broker, jwt).await?.ok();
    } else if let Some(jwks) = jwt.jwks().filter(|jwks| jwks.is_stale(now)) {
        // Nobody waits for it: the keys at hand go on.
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

/// Asks the issuer, where nobody did a moment ago. The answer is what came of it.
async fn refresh(broker: &Arc<Broker>, jwt: &Jwt) -> Result<Result<()>> {
    let Some(jwks) = jwt.jwks().map(Arc::clone) else {
        return Ok(Ok(()));
    };
    let now = broker.clock.now();
    // On the process's own runtime: it goes on for the others when this caller hangs up.
    let fetched = broker
        .tasks
        .spawn(async move { jwks.refresh(now).await })
        .await;
    let fetched = fetched.map_err(|died| Error::Internal(died.into()))?;
    Ok(fetched.map_err(|cause| Error::unavailable(Dependency::Issuer, cause)))
}
