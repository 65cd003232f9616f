//! What waits for the endpoints of all tenants.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Timestamptz};
use diesel_async::RunQueryDsl;

use crate::store::{Connection, Result};

/// The endpoints of all tenants, and what waits for those that are enabled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, QueryableByName)]
pub struct Backlog {
    /// The number of enabled endpoints.
    #[diesel(sql_type = BigInt)]
    pub enabled: i64,
    /// The number of disabled endpoints.
    #[diesel(sql_type = BigInt)]
    pub disabled: i64,
    /// The number of events that wait for enabled endpoints, once for each endpoint.
    #[diesel(sql_type = BigInt)]
    pub waiting: i64,
    /// When the oldest of them happened, or when its replay was requested.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub oldest: Option<DateTime<Utc>>,
}

/// Returns the [`Backlog`] of all replicas. It counts up to `max_waiting` events of each endpoint, so
/// that the query stays fast while an endpoint is down.
pub async fn backlog(connection: &mut Connection, max_waiting: i64) -> Result<Backlog> {
    // The order makes Postgres read an index, whatever share of the rows belongs to the endpoint.
    diesel::sql_query(
        "SELECT count(*) FILTER (WHERE disabled_at IS NULL) AS enabled, \
         count(*) FILTER (WHERE disabled_at IS NOT NULL) AS disabled, \
         coalesce(sum(CASE WHEN disabled_at IS NULL THEN \
             (SELECT count(*) FROM (SELECT FROM webhook_deliveries \
              WHERE webhook_id = webhooks.id ORDER BY due_at LIMIT $1) AS counted) END), 0)::bigint \
             AS waiting, \
         min(CASE WHEN disabled_at IS NULL THEN (SELECT min(queued_at) FROM webhook_deliveries \
             WHERE webhook_id = webhooks.id) END) AS oldest \
         FROM webhooks",
    )
    .bind::<BigInt, _>(max_waiting)
    .get_result(connection)
    .await
}
