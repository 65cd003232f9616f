//! Lanes: how many connections the uploads of one tenant may keep while they wait.
//!
//! A batch, an upload under an idempotency key and one that is counted against a token are
//! transactions of their own, which wait for their tenant's quota, their key or their token with a
//! connection in the hand; an acknowledge whose row is locked waits for that. However many of them come at once, half of the pool is left to all
//! others: the rest waits here, for as long as one waits for a connection.

use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::domain::upload::Upload;
use crate::usecases::broker::Broker;
use crate::usecases::error::{Dependency, Error, Result};
use crate::usecases::keyed::Keyed;

/// The lanes of every tenant that is on one.
pub struct Lanes {
    of: Keyed<String, Semaphore>,
    each: usize,
    patience: Duration,
}

/// A lane, until it is dropped.
pub(in crate::usecases) struct Lane {
    _held: OwnedSemaphorePermit,
}

impl Lanes {
    /// For a pool of so many connections, which one waits for so long.
    pub fn new(pool_size: usize, patience: Duration) -> Self {
        Self {
            of: Keyed::default(),
            each: (pool_size / 2).max(1),
            patience,
        }
    }

    async fn take(&self, tenant: &str) -> Result<Lane> {
        let lanes = self.of.of(tenant, || Semaphore::new(self.each));
        let held = tokio::time::timeout(self.patience, lanes.acquire_owned()).await;
        match held {
            Ok(Ok(held)) => Ok(Lane { _held: held }),
            Ok(Err(closed)) => Err(Error::Internal(closed.into())),
            Err(_) => Err(Error::Overloaded(Dependency::Postgres)),
        }
    }
}

impl Broker {
    /// A lane of the tenant that all of these are of.
    pub(in crate::usecases) async fn lane_of(&self, uploads: &[Upload]) -> Result<Lane> {
        let tenant = uploads.first().map(|upload| &*upload.tenant);
        self.lane(tenant.unwrap_or_default()).await
    }

    /// A lane of the tenant's. Take it before the connection.
    pub(in crate::usecases) async fn lane(&self, tenant: &str) -> Result<Lane> {
        self.lanes.take(tenant).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_tenant_has_half_of_the_connections_and_the_others_theirs() {
        let lanes = Lanes::new(5, Duration::ZERO);
        let first = lanes.take("acme").await.expect("a lane");
        let _second = lanes.take("acme").await.expect("another one");
        let full = lanes.take("acme").await;
        assert!(matches!(full, Err(Error::Overloaded(Dependency::Postgres))));
        assert!(lanes.take("other").await.is_ok());
        drop(first);
        assert!(lanes.take("acme").await.is_ok());
        let lanes = Lanes::new(1, Duration::ZERO);
        assert!(lanes.take("acme").await.is_ok());
    }
}
