//! Authenticates a caller: from a bearer token to a principal.
//!
//! The token is an API key, an upload token of the broker, or a JWT of the issuer, which its format
//! shows. A key that was used within the last seconds needs no query, and concurrent requests with
//! one key share a single query. A key that is revoked, or whose tenant is disabled, is rejected as
//! soon as its cache entry has expired. The same applies to tokens: a cached one needs neither a
//! query nor a verification of its signature. Unknown credentials are cached for as long, in a
//! separate cache: a repeated one does not reach Postgres each time, and a flood of them evicts no
//! valid one. Random keys that differ need a query each; only a rate limit per address bounds
//! those. Every lookup uses the SHA-256 of the token: the duration of a rejection may depend on the
//! first bytes of that hash, which a caller cannot choose, and never on how much of a key was
//! right. While Postgres is unavailable, cached credentials work until their entries expire, and
//! others get a 503.

mod jwt;
mod principal;
mod token;

use std::sync::Arc;

use crate::domain::bounds::Bounds;
use crate::domain::jail::DEFAULT_TENANT;
use crate::domain::principal::{Credential, Principal, Scope};
use crate::identity::jwt::Jwt;
use crate::identity::upload_token;
use crate::store::{api_keys, tenants};
use crate::usecases::context::{Broker, CachedKey};
use crate::usecases::error::{Error, Result, shared};
use crate::usecases::identity::keys::{has_shape, hash};
use chrono::TimeDelta;

pub use upload_token::has_shape as is_upload_token;

/// The precision of `last_used_at`.
const TOUCH_EVERY: TimeDelta = TimeDelta::minutes(1);
/// The cache key of callers without a credential. No token has a SHA-256 of zeros.
const NO_KEY_HASH: [u8; 32] = [0; 32];

type Hash = [u8; 32];

/// Why a credential has no principal.
enum Miss {
    /// The credential is not valid.
    Unknown,
    /// The lookup failed.
    Failed(Arc<Error>),
}

impl Miss {
    fn failed(error: Error) -> Self {
        Self::Failed(Arc::new(error))
    }

    /// Returns the error, for one of the callers that share it.
    fn to_result(&self) -> Result<()> {
        match self {
            Self::Unknown => Ok(()),
            Self::Failed(error) => Err(shared(error)),
        }
    }
}

/// Returns the principal of a bearer token; `None` for one that is unknown, expired or revoked, and
/// for one whose tenant is disabled. The caller does not learn which of these it is.
pub async fn authenticate(broker: &Arc<Broker>, bearer: &str) -> Result<Option<Arc<Principal>>> {
    let Some(kind) = Kind::of(broker, bearer) else {
        return Ok(None);
    };
    let hash = hash(bearer);
    let load = async {
        let known = kind.load(broker, bearer, hash).await;
        known.map_err(Miss::failed)?.ok_or(Miss::Unknown)
    };
    let known = match broker.caches.keys.get(&hash).await {
        Some(known) => known,
        None if broker.caches.unknown_keys.contains_key(&hash) => return Ok(None),
        // One of several concurrent requests performs the lookup, and all of them share the result.
        None => match broker.caches.keys.try_get_with(hash, load).await {
            Ok(known) => known,
            Err(miss) => {
                miss.to_result()?;
                broker.caches.unknown_keys.insert(hash, ()).await;
                return Ok(None);
            }
        },
    };
    let now = broker.clock.now();
    let expired = known.expires_at.is_some_and(|end| end <= now);
    Ok((!expired).then_some(known.principal))
}

/// Returns the name of a token in the audit: the first bytes of its hash, which reveal nothing
/// about it.
pub(in crate::usecases) fn fingerprint(hash: &Hash) -> String {
    let (start, _) = hash.split_at(8);
    hex::encode(start)
}

/// The kinds of bearer tokens.
enum Kind<'a> {
    Key,
    UploadToken,
    Jwt(&'a Jwt),
}

impl<'a> Kind<'a> {
    fn of(broker: &'a Broker, bearer: &str) -> Option<Self> {
        if has_shape(bearer) {
            return Some(Self::Key);
        }
        if is_upload_token(bearer) {
            return Some(Self::UploadToken);
        }
        let jwt = broker.caches.jwt.as_ref();
        jwt.filter(|_| Jwt::has_shape(bearer)).map(Self::Jwt)
    }

    async fn load(
        self,
        broker: &Arc<Broker>,
        bearer: &str,
        hash: Hash,
    ) -> Result<Option<CachedKey>> {
        match self {
            Self::Key => load(broker, hash).await,
            Self::UploadToken => token::load(broker, bearer, hash).await,
            Self::Jwt(jwt) => jwt::load(broker, jwt, bearer, hash).await,
        }
    }
}

/// Returns the principal of callers while authentication is off: the default tenant with every
/// scope; `None` if that tenant is disabled.
pub async fn unauthenticated(broker: &Broker) -> Result<Option<Arc<Principal>>> {
    if let Some(known) = broker.caches.keys.get(&NO_KEY_HASH).await {
        return Ok(Some(known.principal));
    }
    let load = async {
        let known = load_unauthenticated(broker).await;
        known.map_err(Miss::failed)?.ok_or(Miss::Unknown)
    };
    match broker.caches.keys.try_get_with(NO_KEY_HASH, load).await {
        Ok(known) => Ok(Some(known.principal)),
        Err(miss) => miss.to_result().map(|()| None),
    }
}

async fn load_unauthenticated(broker: &Broker) -> Result<Option<CachedKey>> {
    let mut connection = broker.connection().await?;
    let enabled = tenants::find_enabled(&mut connection, DEFAULT_TENANT).await?;
    Ok(enabled.map(|(jail, policy)| CachedKey {
        principal: Arc::new(Principal {
            tenant: DEFAULT_TENANT.to_owned(),
            jail,
            policy: Arc::new(policy),
            scopes: Scope::ALL.to_vec(),
            key_id: None,
            credential: Credential::AuthenticationOff,
            bounds: Bounds::default(),
        }),
        expires_at: None,
    }))
}

async fn load(broker: &Broker, hash: Hash) -> Result<Option<CachedKey>> {
    let now = broker.clock.now();
    let mut connection = broker.connection().await?;
    let Some(key) = api_keys::find_by_hash(&mut connection, &hash).await? else {
        return Ok(None);
    };
    if key.revoked_at.is_some() || key.expires_at.is_some_and(|end| end <= now) {
        return Ok(None);
    }
    let Some((jail, policy)) = tenants::find_enabled(&mut connection, &key.tenant).await? else {
        return Ok(None);
    };
    let fresh_after = now - TOUCH_EVERY;
    if key.last_used_at.is_none_or(|last| last <= fresh_after) {
        api_keys::record_use(&mut connection, key.id, now, fresh_after).await?;
    }
    let scopes = key.scopes.iter().flatten();
    Ok(Some(CachedKey {
        principal: Arc::new(Principal {
            tenant: key.tenant,
            jail,
            policy: Arc::new(policy),
            scopes: scopes.filter_map(|name| name.parse().ok()).collect(),
            key_id: Some(key.id),
            credential: Credential::Key(key.id),
            bounds: Bounds {
                ends_at: key.expires_at,
                ..Bounds::default()
            },
        }),
        expires_at: key.expires_at,
    }))
}
