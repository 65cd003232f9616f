//! The readiness check: whether every service that a request may need answers.

use chrono::{DateTime, Utc};
use diesel_async::AsyncConnection as _;

use crate::domain::abilities::Abilities;
use crate::store::outbox::{self, Backlog};
use crate::usecases::context::Broker;
use crate::usecases::context::QueueState;
use crate::usecases::error::{Dependency, Error, Result};

/// The number at which counting of events stops, so that the check does not become slow while SNS
/// is unavailable.
const MAX_COUNTED: i64 = 100_000;

/// The state of each dependency at the time of the check.
#[derive(Debug)]
pub struct Readiness {
    /// The time of the check.
    pub at: DateTime<Utc>,
    /// The number of events that wait to be published, if Postgres answers.
    pub postgres: Result<Backlog>,
    /// Whether the bucket can be reached.
    pub s3: Result<()>,
    /// The queue of S3 events, as its reader saw it last.
    pub s3_events: QueueState,
    /// The known abilities of the store of the common bucket.
    pub store: Abilities,
}

impl Readiness {
    /// Whether requests can be served. Events that wait, here or in a queue, do not prevent that.
    pub fn is_ready(&self) -> bool {
        self.postgres.is_ok() && self.s3.is_ok()
    }
}

/// Checks all dependencies at the same time.
pub async fn check(broker: &Broker) -> Readiness {
    let (postgres, s3) = tokio::join!(backlog(broker), broker.stores.buckets.check());
    Readiness {
        at: broker.clock.now(),
        postgres,
        s3: s3.map_err(Into::into),
        s3_events: broker.s3_events.get(),
        store: broker
            .stores
            .buckets
            .common_bucket()
            .objects
            .abilities()
            .current(),
    }
}

/// Uses Postgres as requests do: a prepared statement, in a transaction, on a connection of the
/// pool.
async fn backlog(broker: &Broker) -> Result<Backlog> {
    (broker.connections.pool.ensure_dedicated_sessions().await)
        .map_err(|cause| Error::unavailable(Dependency::Postgres, cause))?;
    let mut connection = broker.connection().await?;
    connection
        .transaction(async |connection| Ok(outbox::backlog(connection, MAX_COUNTED).await?))
        .await
}
