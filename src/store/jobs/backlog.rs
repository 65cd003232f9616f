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
