//! The table `events`: the history of every upload.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde_json::Value;
use uuid::{NoContext, Timestamp, Uuid};

use super::schema::events;
use super::{Connection, Result};
use crate::domain::event::{Event, EventType, facts};
use crate::domain::upload::Upload;

/// Writes the event of an arrow, with the facts as they stand after it. The caller's transaction
/// is the one that changed the row.
pub(super) async fn append(
    connection: &mut Connection,
    upload: &Upload,
    kind: EventType,
    at: DateTime<Utc>,
) -> Result<()> {
    let seconds = u64::try_from(at.timestamp()).unwrap_or_default();
    let id = Uuid::new_v7(Timestamp::from_unix(
        NoContext,
        seconds,
        at.timestamp_subsec_nanos(),
    ));
    diesel::insert_into(events::table)
        .values((
            events::id.eq(id),
            events::upload_id.eq(upload.id),
            events::sequence.eq(upload.sequence),
            events::tenant.eq(&upload.tenant),
            events::kind.eq(kind.as_str()),
            events::at.eq(at),
            events::data.eq(facts(upload)),
            events::notify.eq(kind.is_notified()),
            events::due_at.eq(at),
        ))
        .execute(connection)
        .await?;
    Ok(())
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
}

/// Everything that happened to an upload of this tenant, oldest first.
pub async fn history(
    connection: &mut Connection,
    tenant: &str,
    upload_id: Uuid,
) -> Result<Vec<Event>> {
    let rows: Vec<Row> = events::table
        .filter(events::upload_id.eq(upload_id))
        .filter(events::tenant.eq(tenant))
        .order(events::sequence)
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
        })
        .collect())
}
