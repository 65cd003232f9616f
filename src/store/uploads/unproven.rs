//! Wrong objects: what the URL of an upload has written although nobody promised it.
//!
//! Each takes its room in the tenant's quota until it is deleted, or a dataset takes its place.

use chrono::{DateTime, Utc};
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{Array, Bool, Text};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::janitor_lease::{DueRows, WithoutLease, is_held_under};
use super::path_version::TenantPath;
use crate::domain::status::Status;
use crate::domain::upload::Upload;
use crate::store::columns::each;
use crate::store::schema::uploads;
use crate::store::{Connection, Result};

/// S3 has no larger ones.
pub(super) fn bytes(size: u64) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX)
}

/// Notes how many bytes stand there of an upload that failed or expired, as it was seen.
pub async fn set_unproven_size(
    connection: &mut Connection,
    id: Uuid,
    size: Option<u64>,
) -> Result<()> {
    let over = [Status::Error, Status::Expired].map(Status::as_str);
    diesel::update(uploads::table.filter(uploads::id.eq(id)))
        .filter(uploads::status.eq_any(over))
        .filter(uploads::uploaded_at.is_null())
        .set(uploads::unproven_size.eq(size.map(bytes)))
        .execute(connection)
        .await?;
    Ok(())
}

/// The same for one that failed, at the last look.
pub async fn mark_failed_finally_checked(
    connection: &mut Connection,
    upload: &Upload,
    size: Option<u64>,
    at: DateTime<Utc>,
) -> Result<()> {
    diesel::update(uploads::table.filter(uploads::id.eq(upload.id)))
        .filter(sql::<Bool>(DueRows::AwaitingFinalCheck.predicate()))
        .filter(uploads::status.eq(Status::Error.as_str()))
        .filter(is_held_under(upload.lease_token))
        .set((
            WithoutLease::default(),
            uploads::unproven_size.eq(size.map(bytes)),
            uploads::settled_at.eq(at),
        ))
        .execute(connection)
        .await?;
    Ok(())
}

/// Notes that datasets have taken the places of what stood there. Rows that somebody else changes
/// at this moment are left: they are looked at anew after that.
pub(super) async fn replace(connection: &mut Connection, places: &[TenantPath<'_>]) -> Result<()> {
    diesel::sql_query(
        "UPDATE uploads SET unproven_size = NULL WHERE id IN ( \
         SELECT id FROM uploads JOIN unnest($1, $2) AS place (tenant, path) USING (tenant, path) \
         WHERE unproven_size IS NOT NULL AND status IN ('Error', 'Expired') \
         FOR UPDATE OF uploads SKIP LOCKED)",
    )
    .bind::<Array<Text>, _>(each(places, |place| place.tenant))
    .bind::<Array<Text>, _>(each(places, |place| place.path))
    .execute(connection)
    .await?;
    Ok(())
}
