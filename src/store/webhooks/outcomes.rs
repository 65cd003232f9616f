//! What became of deliveries, and how an endpoint does.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::store::lease::Lease;
use crate::store::schema::{webhook_deliveries, webhooks};
use crate::store::{Connection, Result};

/// How an endpoint does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// The number of rounds in a row in which it accepted nothing.
    pub failures: u32,
    /// When the first of them ended; `None` without one.
    pub failing_since: Option<DateTime<Utc>>,
    /// Before this time nothing is sent.
    pub retry_at: Option<DateTime<Utc>>,
    /// Why it did not accept an event in its last round.
    pub last_error: Option<String>,
    /// When it accepted an event in its last round.
    pub delivered_at: Option<DateTime<Utc>>,
    /// When the round disabled it.
    pub disabled_at: Option<DateTime<Utc>>,
}

/// Locks an endpoint, if it still has this lease, until the end of the transaction: no other relay
/// can lease it meanwhile. Returns whether it has the lease.
pub async fn lock_leased(connection: &mut Connection, id: Uuid, lease: &Lease) -> Result<bool> {
    let leased: Option<Uuid> = webhooks::table
        .filter(webhooks::id.eq(id))
        .filter(webhooks::holder.eq(lease.token()))
        .for_no_key_update()
        .select(webhooks::id)
        .first(connection)
        .await
        .optional()?;
    Ok(leased.is_some())
}

/// Deletes the deliveries of events that the endpoint has accepted.
pub async fn delete_delivered(
    connection: &mut Connection,
    webhook: Uuid,
    events: &[Uuid],
) -> Result<()> {
    let delivered = webhook_deliveries::table
        .filter(webhook_deliveries::event_id.eq_any(events))
        .filter(webhook_deliveries::webhook_id.eq(webhook));
    diesel::delete(delivered).execute(connection).await?;
    Ok(())
}

/// Records a failed attempt at `now`. The event is due again at `due_at`.
pub async fn postpone(
    connection: &mut Connection,
    webhook: Uuid,
    event: Uuid,
    now: DateTime<Utc>,
    due_at: DateTime<Utc>,
    reason: &str,
) -> Result<()> {
    diesel::sql_query(
        "UPDATE webhook_deliveries SET due_at = $3, attempts = attempts + 1, last_error = $4, \
         first_failed_at = coalesce(first_failed_at, $5) WHERE event_id = $1 AND webhook_id = $2",
    )
    .bind::<SqlUuid, _>(event)
    .bind::<SqlUuid, _>(webhook)
    .bind::<Timestamptz, _>(due_at)
    .bind::<Text, _>(reason)
    .bind::<Timestamptz, _>(now)
    .execute(connection)
    .await?;
    Ok(())
}

/// Makes those postponed deliveries of an endpoint due that first failed at or after `since`. An event
/// that failed before keeps its own back-off.
pub async fn make_due(
    connection: &mut Connection,
    webhook: Uuid,
    since: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<()> {
    let postponed = webhook_deliveries::table
        .filter(webhook_deliveries::webhook_id.eq(webhook))
        .filter(webhook_deliveries::first_failed_at.ge(since))
        .filter(webhook_deliveries::due_at.gt(now));
    diesel::update(postponed)
        .set(webhook_deliveries::due_at.eq(now))
        .execute(connection)
        .await?;
    Ok(())
}

/// Makes the failed deliveries of an endpoint count as failing since `first` at the earliest.
pub async fn limit_failing_time(
    connection: &mut Connection,
    webhook: Uuid,
    first: DateTime<Utc>,
) -> Result<()> {
    let longer = webhook_deliveries::table
        .filter(webhook_deliveries::webhook_id.eq(webhook))
        .filter(webhook_deliveries::first_failed_at.lt(first));
    diesel::update(longer)
        .set(webhook_deliveries::first_failed_at.eq(first))
        .execute(connection)
        .await?;
    Ok(())
}

/// Records how an endpoint does. Without an error or a delivery in the round, the older ones are
/// kept. A disabled endpoint stays disabled.
pub async fn set_health(connection: &mut Connection, webhook: Uuid, health: &Health) -> Result<()> {
    diesel::update(webhooks::table.find(webhook))
        .set((
            webhooks::failures.eq(i32::try_from(health.failures).unwrap_or(i32::MAX)),
            webhooks::failing_since.eq(health.failing_since),
            webhooks::retry_at.eq(health.retry_at),
            (health.disabled_at).map(|at| webhooks::disabled_at.eq(at)),
            (health.last_error.as_ref()).map(|reason| webhooks::last_error.eq(reason)),
            (health.delivered_at).map(|at| webhooks::last_delivered_at.eq(at)),
        ))
        .execute(connection)
        .await?;
    Ok(())
}
