//! Readiness: does everything answer that a request may need?

use chrono::{DateTime, Utc};
use diesel_async::AsyncConnection as _;

use crate::domain::abilities::Abilities;
use crate::store::outbox::{self, Backlog};
use crate::usecases::context::Broker;
use crate::usecases::context::QueueState;
use crate::usecases::error::{Dependency, Error, Result};

/// Events are counted up to here: the answer must not become slow because SNS is away.
const MAX_COUNTED: i64 = 100_000;

/// What each dependency answered just now.
#[derive(Debug)]
pub struct Readiness {
    /// When this was seen.
    pub at: DateTime<Utc>,
    /// Postgres, and with it the events that wait.
    pub postgres: Result<Backlog>,
    /// The bucket.
    pub s3: Result<()>,
    /// The queue of S3's events, as its reader saw it last.
    pub s3_events: QueueState,
    /// What is known of the common bucket's store.
    pub store: Abilities,
}

impl Readiness {
    /// Whether requests can be served. Events that wait, here or in a queue, do not hinder that.
    pub fn is_ready(&self) -> bool {
        self.postgres.is_ok() && self.s3.is_ok()
    }
}

/// Asks each dependency once, side by side.
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

/// As requests do: a statement that is prepared, in a transaction, on a connection of the pool.
async fn backlog(broker: &Broker) -> Result<Backlog> {
    (broker.connections.pool.ensure_dedicated_sessions().await)
        .map_err(|cause| Error::unavailable(Dependency::Postgres, cause))?;
    let mut connection = broker.connection().await?;
    connection
        .transaction(async |connection| Ok(outbox::backlog(connection, MAX_COUNTED).await?))
        .await
}
