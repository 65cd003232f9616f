//! The times at which the janitor checks whether the object of an upload has arrived.

use chrono::{DateTime, Utc};
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::Bool;
use diesel_async::RunQueryDsl;

use super::janitor_lease::{DueRows, WithoutLease, is_held_under};
use crate::domain::upload::Upload;
use crate::store::schema::uploads;
use crate::store::{Connection, Result};

/// Sets when the object of an upload is checked next, and ends the lease of this check, which does not
/// count as a failed attempt. Does nothing if the upload is no longer Pending, or if the lease was lost.
pub async fn schedule_arrival_check(
    connection: &mut Connection,
    upload: &Upload,
    at: DateTime<Utc>,
) -> Result<()> {
    diesel::update(uploads::table.filter(uploads::id.eq(upload.id)))
        .filter(sql::<Bool>(DueRows::AwaitingArrival.predicate()))
        .filter(is_held_under(upload.lease_token))
        .set((
            WithoutLease::default(),
            uploads::arrival_check_at.eq(at),
            uploads::janitor_attempts.eq(uploads::janitor_attempts - 1),
        ))
        .execute(connection)
        .await?;
    Ok(())
}
