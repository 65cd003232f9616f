//! Counts the jobs that wait.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text, Timestamptz};
use diesel_async::RunQueryDsl;

use crate::store::{Connection, Result};

/// The jobs of a processor that wait, of all tenants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, QueryableByName)]
pub struct Backlog {
    /// Their number.
    #[diesel(sql_type = BigInt)]
    pub queued: i64,
    /// When the job that has waited longest became due; `None` if none is queued.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub oldest: Option<DateTime<Utc>>,
}

/// A job that is due.
#[derive(Clone, Debug, PartialEq, Eq, QueryableByName)]
pub struct WaitingJob {
    /// The name of the processor.
    #[diesel(sql_type = Text)]
    pub processor: String,
    /// Since when it has been due.
    #[diesel(sql_type = Timestamptz)]
    pub due_at: DateTime<Utc>,
}

/// Returns the job that has waited longest for a worker, of all tenants and processors. It reads every
/// queued job.
pub async fn find_longest_waiting(
    connection: &mut Connection,
    now: DateTime<Utc>,
) -> Result<Option<WaitingJob>> {
    diesel::sql_query(
        "SELECT processor, due_at FROM jobs WHERE status = 'Queued' AND due_at <= $1 \
         ORDER BY due_at LIMIT 1",
    )
    .bind::<Timestamptz, _>(now)
    .get_result(connection)
    .await
    .optional()
}

/// Returns the [`Backlog`] of a processor. It counts up to `max` jobs, so that the query stays fast
/// when many jobs wait.
pub async fn backlog(connection: &mut Connection, processor: &str, max: i64) -> Result<Backlog> {
    diesel::sql_query(
        "SELECT count(*) AS queued, min(due_at) AS oldest FROM ( \
         SELECT due_at FROM jobs WHERE status = 'Queued' AND processor = $1 LIMIT $2) AS counted",
    )
    .bind::<Text, _>(processor)
    .bind::<BigInt, _>(max)
    .get_result(connection)
    .await
}
