//! Leases endpoints that have something to send.

use chrono::{DateTime, Utc};
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Nullable, Timestamptz};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::order::IS_FIRST_OF_UPLOAD;
use super::outcomes::Health;
use super::secrets::Secrets;
use crate::store::lease::{Lease, impl_renew_leases, is_free, lease_expiry};
use crate::store::schema::webhooks;
use crate::store::{Connection, Result};

/// Which endpoints to lease.
#[derive(Clone, Copy, Debug)]
pub struct Claim {
    /// Those that accepted nothing in their last round, or the others.
    pub failing: bool,
    /// At most this many.
    pub limit: i64,
    /// The current time of the caller.
    pub now: DateTime<Utc>,
}

/// An endpoint that was leased.
#[derive(Debug)]
pub struct ClaimedWebhook {
    /// Its id.
    pub id: Uuid,
    /// Its tenant.
    pub tenant: String,
    /// Where events are sent.
    pub url: String,
    /// What signs the events.
    pub secrets: Secrets,
    /// How it did so far.
    pub health: Health,
}

/// The columns of a claimed endpoint.
type Row = (
    Uuid,
    String,
    String,
    Vec<u8>,
    Option<Vec<u8>>,
    Option<DateTime<Utc>>,
    i32,
    Option<DateTime<Utc>>,
);

/// SQL, its start: whether the endpoint has a delivery that may be sent now. It reads the due
/// deliveries in order, up to the first one that does not wait for another.
const HAS_DUE_DELIVERY: &str = "coalesce((SELECT true FROM webhook_deliveries AS next \
     WHERE next.webhook_id = webhooks.id AND next.due_at <= ";

/// SQL: since when an endpoint waits for its turn: since it last accepted an event, or since its pause
/// ended. NULL if it had no turn yet.
const WAITS_SINCE: &str = "greatest(webhooks.retry_at, webhooks.last_delivered_at)";

/// Leases enabled endpoints whose back-off is over and that have an event to send, those first that
/// have waited longest. Call it inside a transaction.
pub async fn claim(
    connection: &mut Connection,
    lease: &Lease,
    claim: &Claim,
) -> Result<Vec<ClaimedWebhook>> {
    let failures = match claim.failing {
        true => (1, i32::MAX),
        false => (0, 0),
    };
    // A lock that does not conflict with the one of `events::append`: an endpoint that gets an event
    // at this moment must not be skipped.
    let free: Vec<Uuid> = webhooks::table
        .filter(webhooks::disabled_at.is_null())
        .filter(webhooks::failures.between(failures.0, failures.1))
        .filter(
            webhooks::retry_at
                .is_null()
                .or(webhooks::retry_at.le(claim.now)),
        )
        .filter(is_free!(webhooks, lease))
        .filter(
            sql::<Bool>(HAS_DUE_DELIVERY)
                .bind::<Timestamptz, _>(claim.now)
                .sql(" AND ")
                .sql(IS_FIRST_OF_UPLOAD)
                .sql(" ORDER BY next.due_at, next.event_id LIMIT 1), false)"),
        )
        .order((
            sql::<Nullable<Timestamptz>>(WAITS_SINCE)
                .asc()
                .nulls_first(),
            webhooks::id,
        ))
        .limit(claim.limit)
        .for_no_key_update()
        .skip_locked()
        .select(webhooks::id)
        .load(connection)
        .await?;
    if free.is_empty() {
        return Ok(Vec::new());
    }
    let rows: Vec<Row> = diesel::update(webhooks::table.filter(webhooks::id.eq_any(free)))
        .set((
            webhooks::holder.eq(lease.token()),
            webhooks::leased_until.eq(lease_expiry!(lease)),
        ))
        .returning((
            webhooks::id,
            webhooks::tenant,
            webhooks::url,
            webhooks::secret,
            webhooks::previous_secret,
            webhooks::previous_secret_until,
            webhooks::failures,
            webhooks::failing_since,
        ))
        .get_results(connection)
        .await?;
    Ok(rows.into_iter().map(claimed).collect())
}

fn claimed(row: Row) -> ClaimedWebhook {
    let (id, tenant, url, secret, previous, until, failures, failing_since) = row;
    ClaimedWebhook {
        id,
        tenant,
        url,
        secrets: Secrets::new(secret, previous, until),
        health: Health {
            failures: u32::try_from(failures).unwrap_or_default(),
            failing_since,
            ..Health::default()
        },
    }
}

impl_renew_leases!(webhooks, id, Uuid);

/// Ends the lease of an endpoint, unless it has another one by now.
pub async fn release(connection: &mut Connection, id: Uuid, lease: &Lease) -> Result<()> {
    let leased = webhooks::table
        .filter(webhooks::id.eq(id))
        .filter(webhooks::holder.eq(lease.token()));
    diesel::update(leased)
        .set((
            webhooks::holder.eq(None::<Uuid>),
            webhooks::leased_until.eq(None::<DateTime<Utc>>),
        ))
        .execute(connection)
        .await?;
    Ok(())
}
