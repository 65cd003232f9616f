//! What became of proven objects.

use std::slice;

use chrono::{DateTime, Utc};
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::Bool;
use diesel_async::RunQueryDsl;

use super::find::STANDING;
use super::row::Row;
use crate::domain::drift::Drift;
use crate::domain::event::EventType;
use crate::domain::upload::Upload;
use crate::store::schema::uploads;
use crate::store::{Connection, Result, events};

/// Notes what a look at the object of `seen` found, with its event. `None` where nothing changes:
/// it is noted already, the dataset is not one any more, or the row moved since it was read.
/// Call it inside a transaction.
pub async fn mark_drift(
    connection: &mut Connection,
    seen: &Upload,
    drift: Option<Drift>,
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
