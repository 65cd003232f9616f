//! What was read lately and is believed for a few seconds. Every cache is bounded in entries and in
//! time.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use moka::future::Cache;
use tokio::sync::OnceCell;
use uuid::Uuid;

use crate::domain::jail::Jail;
use crate::domain::principal::Principal;
use crate::domain::tenant::TenantPolicy;
use crate::identity::jwt::Jwt;
use crate::identity::upload_token::TokenKey;

/// How long an entry is believed.
const BELIEVED: Duration = Duration::from_secs(3);
/// The most entries of one cache.
const MAX_ENTRIES: u64 = 10_000;

/// SHA-256 of a credential.
type Hash = [u8; 32];

/// What is known of a credential.
#[derive(Clone, Debug)]
pub(in crate::usecases) struct CachedKey {
    pub(in crate::usecases) principal: Arc<Principal>,
    pub(in crate::usecases) expires_at: Option<DateTime<Utc>>,
}

/// What a token relies on: a tenant, and the API key that it was issued with.
type TokenBasis = (String, Option<Uuid>);

/// Where the tenant may write, and its limits.
pub(in crate::usecases) type TenantAccess = (Jail, Arc<TenantPolicy>);

/// The caches of one process.
pub struct Caches {
    /// Credentials that are good, by their hash.
    pub(in crate::usecases) keys: Cache<Hash, CachedKey>,
    /// Credentials that are not, by their hash: a flood of them evicts no good one.
    pub(in crate::usecases) unknown_keys: Cache<Hash, ()>,
    /// What tokens rely on; `None` where that has ended.
    pub(in crate::usecases) token_bases: Cache<TokenBasis, Option<TenantAccess>>,
    /// The limits of tenants, for work that no caller of theirs asked for.
    pub(in crate::usecases) policies: Cache<String, Arc<TenantPolicy>>,
    /// The issuer of JWTs with its keys; without one no JWT is accepted.
    pub(in crate::usecases) jwt: Option<Jwt>,
    /// The key that upload tokens are signed with, once it is known.
    pub(in crate::usecases) token_key: OnceCell<TokenKey>,
}

impl Caches {
    /// Empty caches. `token_key` is given where the settings name the secret of upload tokens.
    pub fn new(jwt: Option<Jwt>, token_key: Option<TokenKey>) -> Self {
        Self {
            keys: cache(),
            unknown_keys: cache(),
            token_bases: cache(),
            policies: cache(),
            jwt,
            token_key: OnceCell::new_with(token_key),
        }
    }
}

fn cache<K, V>() -> Cache<K, V>
where
    K: std::hash::Hash + Eq + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    Cache::builder()
        .max_capacity(MAX_ENTRIES)
        .time_to_live(BELIEVED)
        .build()
}
