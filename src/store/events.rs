//! The table `events`: the history of all uploads.

use chrono::{DateTime, Utc};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{Bool, Int4, Nullable, Text, Timestamptz, Untyped, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde_json::Value;
use uuid::{NoContext, Timestamp, Uuid};

use super::columns::{bind_arrays, each, json, try_each};
use super::schema::events;
use super::{Connection, Result};
use crate::domain::event::{Event, EventType, event_data};
use crate::domain::notified_types::NotifiedTypes;
use crate::domain::upload::Upload;
use crate::telemetry::trace;

/// Inserts one event for each of `uploads`, which are the rows after the change. It waits for the
/// relay if its type is one of `notified`, and for each enabled webhook of its tenant that gets its
/// type. The trace of the current task caused them. Call it in the transaction that changed them.
pub(super) async fn append(
    connection: &mut Connection,
    kind: EventType,
    uploads: &[Upload],
    notified: &NotifiedTypes,
) -> Result<()> {
    let cause = trace::traceparent();
    append_caused_by(connection, kind, uploads, notified, |_| cause.as_deref()).await
}

/// The same for changes that several requests caused: `cause` returns the `traceparent` for each.
pub(super) async fn append_caused_by<'a>(
    connection: &mut Connection,
    kind: EventType,
    uploads: &'a [Upload],
    notified: &NotifiedTypes,
    cause: impl Fn(&Upload) -> Option<&'a str>,
) -> Result<()> {
    let append = Append::new(kind, uploads, notified.contains(kind), cause)?;
    append.execute(connection).await?;
    Ok(())
}

/// The rows, column by column.
struct Append<'a> {
    ids: Vec<Uuid>,
    upload_ids: Vec<Uuid>,
    sequences: Vec<i32>,
    tenants: Vec<&'a str>,
    at: Vec<DateTime<Utc>>,
    data: Vec<String>,
    traceparents: Vec<Option<&'a str>>,
    kind: &'static str,
    notify: bool,
}

impl<'a> Append<'a> {
    fn new(
        kind: EventType,
        uploads: &'a [Upload],
        notify: bool,
        cause: impl Fn(&Upload) -> Option<&'a str>,
    ) -> Result<Self> {
        Ok(Self {
            ids: each(uploads, |upload| new_id(upload.updated_at)),
            upload_ids: each(uploads, |upload| upload.id),
            sequences: each(uploads, |upload| upload.sequence),
            tenants: each(uploads, |upload| &*upload.tenant),
            at: each(uploads, |upload| upload.updated_at),
            data: try_each(uploads, |upload| json(&event_data(upload)))?,
            traceparents: each(uploads, cause),
            kind: kind.as_str(),
            notify,
        })
    }
}

/// Creates an id that starts with the time of the event. A replay finds events of a time range by
/// it.
fn new_id(at: DateTime<Utc>) -> Uuid {
    let seconds = u64::try_from(at.timestamp()).unwrap_or_default();
    let nanoseconds = at.timestamp_subsec_nanos();
    Uuid::new_v7(Timestamp::from_unix(NoContext, seconds, nanoseconds))
}

impl QueryFragment<Pg> for Append<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        // One statement for both tables: a tenant without webhooks has no further round trip, and
        // reads one empty index entry.
        out.push_sql("WITH new AS (SELECT * FROM unnest(");
        bind_arrays!(
            out,
            SqlUuid: &self.ids,
            SqlUuid: &self.upload_ids,
            Int4: &self.sequences,
            Text: &self.tenants,
            Timestamptz: &self.at,
            Text: &self.data,
            Nullable<Text>: &self.traceparents,
        );
        out.push_sql(
            ") AS new (id, upload_id, sequence, tenant, at, data, traceparent)), inserted AS ( \
             INSERT INTO events \
             (id, upload_id, sequence, tenant, at, due_at, data, traceparent, kind, notify) \
             SELECT id, upload_id, sequence, tenant, at, at, data::jsonb, traceparent, ",
        );
        out.push_bind_param::<Text, _>(self.kind)?;
        out.push_sql(", ");
        out.push_bind_param::<Bool, _>(&self.notify)?;
        // The lock waits for a webhook that is being removed, so that the foreign key cannot fail.
        out.push_sql(
            " FROM new) \
             INSERT INTO webhook_deliveries \
             (event_id, webhook_id, upload_id, sequence, queued_at, due_at) \
             SELECT new.id, webhooks.id, new.upload_id, new.sequence, new.at, new.at \
             FROM new JOIN webhooks ON webhooks.tenant = new.tenant \
             WHERE webhooks.disabled_at IS NULL AND (webhooks.types IS NULL OR ",
        );
        out.push_bind_param::<Text, _>(self.kind)?;
        out.push_sql(" = ANY (webhooks.types)) FOR KEY SHARE OF webhooks");
        Ok(())
    }
}

impl QueryId for Append<'_> {
    type QueryId = Append<'static>;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl Query for Append<'_> {
    type SqlType = Untyped;
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = events, check_for_backend(diesel::pg::Pg))]
struct Row {
    id: Uuid,
    upload_id: Uuid,
    sequence: i32,
    kind: String,
    at: DateTime<Utc>,
    data: Value,
    published_at: Option<DateTime<Utc>>,
    undeliverable_at: Option<DateTime<Utc>>,
}

/// Returns the trace context of what caused the first event of this type of an upload. `None` if there
/// is no such event, or nothing in a trace caused it.
pub async fn find_traceparent(
    connection: &mut Connection,
    upload_id: Uuid,
    kind: EventType,
) -> Result<Option<String>> {
    let found: Option<Option<String>> = events::table
        .filter(events::upload_id.eq(upload_id))
        .filter(events::kind.eq(kind.as_str()))
        .order(events::sequence)
        .select(events::traceparent)
        .first(connection)
        .await
        .optional()?;
    Ok(found.flatten())
}

/// Lists all events of an upload of this tenant, oldest first.
pub async fn history(
    connection: &mut Connection,
    tenant: &str,
    upload_id: Uuid,
) -> Result<Vec<Event>> {
    history_after(connection, tenant, upload_id, 0, i64::MAX).await
}

/// Lists at most `limit` events of an upload of this tenant, the oldest ones after the sequence
/// number `after`.
pub async fn history_after(
    connection: &mut Connection,
    tenant: &str,
    upload_id: Uuid,
    after: i32,
    limit: i64,
) -> Result<Vec<Event>> {
    let rows: Vec<Row> = events::table
        .filter(events::upload_id.eq(upload_id))
        .filter(events::tenant.eq(tenant))
        .filter(events::sequence.gt(after))
        .order(events::sequence)
        .limit(limit)
        .select(Row::as_select())
        .load(connection)
        .await?;
    Ok(rows
        .into_iter()
        .map(|row| Event {
            id: row.id,
            upload_id: row.upload_id,
            sequence: row.sequence,
            kind: row.kind,
            at: row.at,
            data: row.data,
            published_at: row.published_at,
            undeliverable_at: row.undeliverable_at,
        })
        .collect())
}
