//! What became of proven objects.

use std::slice;

use chrono::{DateTime, Utc};
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::Bool;
use diesel_async::RunQueryDsl;

use super::find::{STANDING, find_acknowledged};
use super::path_version::{PathVersion, TenantPath};
use super::row::Row;
use super::unproven::bytes;
use crate::domain::drift::Drift;
use crate::domain::event::EventType;
use crate::domain::upload::{Upload, has_drifted};
use crate::store::schema::uploads;
use crate::store::{Connection, Result, events};

/// Notes what a look at the object of `seen` found, with its event, and how many bytes its own URL
/// has put in the place of the proven ones. `None` where nothing changes:
/// it is noted already, the dataset is not one any more, or the row moved since it was read.
/// Call it inside a transaction.
pub async fn mark_drift(
    connection: &mut Connection,
    seen: &Upload,
    drift: Option<Drift>,
    unproven: Option<u64>,
    at: DateTime<Utc>,
) -> Result<Option<Upload>> {
    let kind = drift.map(Drift::as_str);
    let row = uploads::table
        .filter(uploads::id.eq(seen.id))
        .filter(uploads::sequence.eq(seen.sequence))
        .filter(sql::<Bool>(STANDING))
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
    events::append(connection, event, slice::from_ref(&upload)).await?;
    Ok(Some(upload))
}

/// Notes that the dataset at a place was replaced by an object with another ETag, with its event.
/// Only the dataset that stood there at `version`, taken before that object was looked at: a later one
/// has a proof of its own. `None` where nothing changes. Call it inside a transaction.
pub async fn mark_replaced(
    connection: &mut Connection,
    place: TenantPath<'_>,
    version: PathVersion,
    etag: &str,
    at: DateTime<Utc>,
) -> Result<Option<Upload>> {
    let standing = find_acknowledged(connection, place.tenant, &[place.path]).await?;
    let replaced = (standing.into_iter())
        .find(|standing| version.is_of(standing) && has_drifted(Some(standing), etag));
    match replaced {
        Some(standing) => mark_drift(connection, &standing, Some(Drift::Replaced), None, at).await,
        None => Ok(None),
    }
}

/// Notes the same number anew, for a drift that is noted already.
pub async fn set_drifted_size(
    connection: &mut Connection,
    seen: &Upload,
    unproven: Option<u64>,
) -> Result<()> {
    let size = unproven.map(bytes);
    diesel::update(uploads::table.filter(uploads::id.eq(seen.id)))
        .filter(uploads::sequence.eq(seen.sequence))
        .filter(sql::<Bool>(STANDING))
        .filter(uploads::unproven_size.is_distinct_from(size))
        .set(uploads::unproven_size.eq(size))
        .execute(connection)
        .await?;
    Ok(())
}
