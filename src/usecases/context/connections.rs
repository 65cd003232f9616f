//! Connections to Postgres, and how many of them one tenant may hold while it waits for a lock.
//!
//! A batch, an upload under an idempotency key and one that is counted against an upload token are
//! transactions of their own. They wait for the quota of their tenant, for the key or for the token
//! while they hold a connection; so does an acknowledge whose row is locked. Each of them takes one
//! of its tenant's permits first. A tenant has permits for half of the pool, so that the other half
//! is left to all others; further transactions wait for a permit as long as a caller waits for a
//! connection.

use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::per_key::PerKey;
use crate::store::pool::{Pool, Pooled};
use crate::usecases::error::{Dependency, Error, Result};

/// The pool, and the permits of every tenant that uses one.
pub struct Connections {
    /// Connections to Postgres.
    pub pool: Pool,
    permits: Permits,
}

/// One permit of a tenant, until it is dropped.
pub(in crate::usecases) struct ConnectionPermit {
    _held: OwnedSemaphorePermit,
}

struct Permits {
    of: PerKey<String, Semaphore>,
    each: usize,
    max_wait: Duration,
}

impl Connections {
    /// A pool of `size` connections, for one of which a caller waits at most `max_wait`.
    pub fn new(pool: Pool, size: usize, max_wait: Duration) -> Self {
        let permits = Permits::new(size, max_wait);
        Self { pool, permits }
    }

    /// A connection, within the pool's bound.
    #[track_caller]
    pub(in crate::usecases) fn get(&self) -> impl Future<Output = Result<Pooled>> + Send {
        let got = self.pool.get();
        async { Ok(got.await?) }
    }

    /// A permit of `tenant`. It is taken before the connection: a caller that waits for a permit
    /// must not hold one.
    pub(in crate::usecases) async fn permit(&self, tenant: &str) -> Result<ConnectionPermit> {
        self.permits.take(tenant).await
    }
}

impl Permits {
    fn new(pool_size: usize, max_wait: Duration) -> Self {
        Self {
            of: PerKey::default(),
            each: (pool_size / 2).max(1),
            max_wait,
        }
    }

    async fn take(&self, tenant: &str) -> Result<ConnectionPermit> {
        let permits = (self.of).get_or_insert_with(tenant, || Semaphore::new(self.each));
        match tokio::time::timeout(self.max_wait, permits.acquire_owned()).await {
            Ok(Ok(held)) => Ok(ConnectionPermit { _held: held }),
            Ok(Err(closed)) => Err(Error::Internal(closed.into())),
            Err(_) => Err(Error::Overloaded(Dependency::Postgres)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn tenant_holds_at_most_half_of_the_connections() {
        let permits = Permits::new(5, Duration::ZERO);
        let first = permits.take("acme").await.expect("a permit");
        let _second = permits.take("acme").await.expect("another one");
        let third = permits.take("acme").await;
        assert!(matches!(
            third,
            Err(Error::Overloaded(Dependency::Postgres))
        ));
        assert!(permits.take("other").await.is_ok());
        drop(first);
        assert!(permits.take("acme").await.is_ok());
        let permits = Permits::new(1, Duration::ZERO);
        assert!(permits.take("acme").await.is_ok());
    }
}
