//! The events that are due for an endpoint.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Int4, Nullable, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::order::IS_FIRST_OF_UPLOAD;
use crate::store::outbox::OutboxEvent;
use crate::store::{Connection, Result};

/// An event that is due for an endpoint.
#[derive(Clone, Debug, QueryableByName)]
pub struct DueDelivery {
    /// The event.
    #[diesel(embed)]
    pub event: OutboxEvent,
    /// How often it was sent to this endpoint without success.
    #[diesel(sql_type = Int4)]
    pub failed_attempts: i32,
    /// When the first of these attempts ended.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub first_failed_at: Option<DateTime<Utc>>,
}

/// Returns up to `limit` due events, the longest due first. An event is not among them while an
/// earlier event of its upload waits for the endpoint, so they all belong to different uploads.
pub async fn due(
    connection: &mut Connection,
    webhook: Uuid,
    now: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<DueDelivery>> {
    diesel::sql_query(format!(
        "WITH due AS MATERIALIZED (SELECT * FROM webhook_deliveries AS next \
         WHERE next.webhook_id = $1 AND next.due_at <= $2 AND {IS_FIRST_OF_UPLOAD} \
         ORDER BY next.due_at, next.event_id LIMIT $3) \
         SELECT events.id, events.upload_id, events.sequence, events.tenant, events.kind, \
         events.at, events.data, events.attempts, events.replayed_at, \
         events.traceparent, due.attempts AS failed_attempts, due.first_failed_at \
         FROM due JOIN events ON events.id = due.event_id ORDER BY due.due_at, due.event_id"
    ))
    .bind::<SqlUuid, _>(webhook)
    .bind::<Timestamptz, _>(now)
    .bind::<BigInt, _>(limit)
    .load(connection)
    .await
}
