//! Records the drift of proven objects.

use std::slice;

use chrono::{DateTime, Utc};
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::Bool;
use diesel_async::RunQueryDsl;

use super::acknowledged::{ACKNOWLEDGED, find_acknowledged};
use super::path_version::{PathVersion, TenantPath};
use super::row::Row;
use super::unproven::bytes;
use crate::domain::drift::Drift;
use crate::domain::event::EventType;
use crate::domain::notified_types::NotifiedTypes;
use crate::domain::upload::{Upload, has_drifted};
use crate::store::schema::uploads;
use crate::store::{Connection, Result, events};

/// Records the drift of the object of `seen`, or the end of its drift, with an event. `unproven` is
/// the size in bytes of an object that the URL of the upload itself has written instead of the
/// proven one.
///
/// Returns `None` if nothing changes: the drift is recorded already, the upload is not acknowledged
/// any more, or the row has changed since it was read. Call it inside a transaction.
pub async fn mark_drift(
    connection: &mut Connection,
    seen: &Upload,
    drift: Option<Drift>,
    unproven: Option<u64>,
    at: DateTime<Utc>,
    notified: &NotifiedTypes,
) -> Result<Option<Upload>> {
    let kind = drift.map(Drift::as_str);
    let row = uploads::table
        .filter(uploads::id.eq(seen.id))
        .filter(uploads::sequence.eq(seen.sequence))
        .filter(sql::<Bool>(ACKNOWLEDGED))
        .filter(uploads::drift.is_distinct_from(kind));
    let row: Option<Row> = diesel::update(row)
        .set((
            uploads::drift.eq(kind),
            uploads::unproven_size.eq(unproven.map(bytes)),
            uploads::drifted_at.eq(drift.map(|_| at)),
            uploads::updated_at.eq(at),
            uploads::sequence.eq(uploads::sequence + 1),
        ))
        .returning(Row::as_returning())
        .get_result(connection)
        .await
        .optional()?;
    let Some(upload) = row.map(Row::into_upload).transpose()? else {
        return Ok(None);
    };
    let event = match drift {
        Some(_) => EventType::Drifted,
        None => EventType::Restored,
    };
    events::append(connection, event, slice::from_ref(&upload), notified).await?;
    Ok(Some(upload))
}

/// Records that the dataset at a path was replaced by an object with another ETag, with an event.
///
/// This applies only to the dataset that `version` names, which was read before that object was
/// checked: a later dataset has a proof of its own. Returns `None` if nothing changes. Call it
/// inside a transaction.
pub async fn mark_replaced(
    connection: &mut Connection,
    path: TenantPath<'_>,
    version: PathVersion,
    etag: &str,
    at: DateTime<Utc>,
    notified: &NotifiedTypes,
) -> Result<Option<Upload>> {
    let acknowledged = find_acknowledged(connection, path.tenant, &[path.path]).await?;
    let replaced = (acknowledged.into_iter())
        .find(|acknowledged| version.names(acknowledged) && has_drifted(Some(acknowledged), etag));
    match replaced {
        Some(upload) => {
            let drift = Some(Drift::Replaced);
            mark_drift(connection, &upload, drift, None, at, notified).await
        }
        None => Ok(None),
    }
}

/// Updates the size of the wrong object for a drift that is recorded already.
pub async fn set_drifted_size(
    connection: &mut Connection,
    seen: &Upload,
    unproven: Option<u64>,
) -> Result<()> {
    let size = unproven.map(bytes);
    diesel::update(uploads::table.filter(uploads::id.eq(seen.id)))
        .filter(uploads::sequence.eq(seen.sequence))
        .filter(sql::<Bool>(ACKNOWLEDGED))
        .filter(uploads::unproven_size.is_distinct_from(size))
        .set(uploads::unproven_size.eq(size))
        .execute(connection)
        .await?;
    Ok(())
}
