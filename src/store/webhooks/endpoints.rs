//! Endpoints, as operators manage them.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::store::schema::{webhook_deliveries, webhooks};
use crate::store::{Connection, Result};

/// The number up to which the waiting events of an endpoint are counted.
const MAX_COUNTED: i64 = 100_000;

/// An endpoint, without its secret.
#[derive(Clone, Debug, QueryableByName)]
pub struct Webhook {
    /// UUIDv7.
    #[diesel(sql_type = SqlUuid)]
    pub id: Uuid,
    /// The tenant whose events it gets.
    #[diesel(sql_type = Text)]
    pub tenant: String,
    /// Where events are sent.
    #[diesel(sql_type = Text)]
    pub url: String,
    /// The names of the event types that it gets; `None` for every type.
    #[diesel(sql_type = Nullable<Array<Text>>)]
    pub types: Option<Vec<String>>,
    /// When it was added.
    #[diesel(sql_type = Timestamptz)]
    pub created_at: DateTime<Utc>,
    /// Since when it has accepted nothing; `None` if it accepted an event of the last round.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub failing_since: Option<DateTime<Utc>>,
    /// Why it did not accept an event last.
    #[diesel(sql_type = Nullable<Text>)]
    pub last_error: Option<String>,
    /// When it last accepted an event.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub last_delivered_at: Option<DateTime<Utc>>,
    /// When it was disabled. Nothing is sent or queued from then on.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub disabled_at: Option<DateTime<Utc>>,
    /// The number of events that wait for it, at most 100,000.
    #[diesel(sql_type = BigInt)]
    pub waiting: i64,
}

/// An endpoint that is not stored yet.
#[derive(Clone, Debug)]
pub struct NewWebhook<'a> {
    /// UUIDv7.
    pub id: Uuid,
    /// The tenant, which must exist.
    pub tenant: &'a str,
    /// Where events are sent.
    pub url: &'a str,
    /// The names of the event types that it gets; `None` for every type.
    pub types: Option<Vec<&'static str>>,
    /// The current time.
    pub created_at: DateTime<Utc>,
}

/// Inserts an endpoint with its secret. It gets the events that are written from now on.
pub async fn insert(
    connection: &mut Connection,
    webhook: &NewWebhook<'_>,
    secret: &[u8],
) -> Result<()> {
    diesel::insert_into(webhooks::table)
        .values((
            webhooks::id.eq(webhook.id),
            webhooks::tenant.eq(webhook.tenant),
            webhooks::url.eq(webhook.url),
            webhooks::types.eq(&webhook.types),
            webhooks::secret.eq(secret),
            webhooks::created_at.eq(webhook.created_at),
        ))
        .execute(connection)
        .await?;
    Ok(())
}

/// SQL: endpoints with the number of their waiting events, of which at most `$1` are counted.
const SELECT: &str = "SELECT id, tenant, url, types, created_at, failing_since, last_error, \
     last_delivered_at, disabled_at, (SELECT count(*) FROM (SELECT FROM webhook_deliveries \
     WHERE webhook_id = webhooks.id ORDER BY due_at LIMIT $1) AS counted) AS waiting FROM webhooks";

/// Lists the endpoints of a tenant, or of all tenants, oldest first.
pub async fn list(connection: &mut Connection, tenant: Option<&str>) -> Result<Vec<Webhook>> {
    diesel::sql_query(format!(
        "{SELECT} WHERE $2 IS NULL OR tenant = $2 ORDER BY id"
    ))
    .bind::<BigInt, _>(MAX_COUNTED)
    .bind::<Nullable<Text>, _>(tenant)
    .load(connection)
    .await
}

/// Finds an endpoint.
pub async fn find(connection: &mut Connection, id: Uuid) -> Result<Option<Webhook>> {
    diesel::sql_query(format!("{SELECT} WHERE id = $2"))
        .bind::<BigInt, _>(MAX_COUNTED)
        .bind::<SqlUuid, _>(id)
        .get_result(connection)
        .await
        .optional()
}

/// Enables an endpoint, ends its back-off and its lease, and makes its waiting events due. A relay that
/// has the lease records nothing any more, so that the outcome of a call from before does not disable
/// the endpoint again. Returns its tenant; `None` if there is no such endpoint. Call it inside a
/// transaction.
pub async fn enable(
    connection: &mut Connection,
    id: Uuid,
    now: DateTime<Utc>,
) -> Result<Option<String>> {
    let tenant: Option<String> = diesel::update(webhooks::table.find(id))
        .set((
            webhooks::disabled_at.eq(None::<DateTime<Utc>>),
            webhooks::failures.eq(0),
            webhooks::failing_since.eq(None::<DateTime<Utc>>),
            webhooks::retry_at.eq(None::<DateTime<Utc>>),
            webhooks::last_error.eq(None::<String>),
            webhooks::holder.eq(None::<Uuid>),
            webhooks::leased_until.eq(None::<DateTime<Utc>>),
        ))
        .returning(webhooks::tenant)
        .get_result(connection)
        .await
        .optional()?;
    // The other events have never failed, and are due already.
    let failed = webhook_deliveries::table
        .filter(webhook_deliveries::webhook_id.eq(id))
        .filter(webhook_deliveries::first_failed_at.is_not_null());
    diesel::update(failed)
        .set((
            webhook_deliveries::due_at.eq(now),
            webhook_deliveries::attempts.eq(0),
            webhook_deliveries::first_failed_at.eq(None::<DateTime<Utc>>),
            webhook_deliveries::last_error.eq(None::<String>),
        ))
        .execute(connection)
        .await?;
    Ok(tenant)
}
