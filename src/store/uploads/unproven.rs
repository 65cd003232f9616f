//! Wrong objects: objects that the URL of an upload has written and that are not as declared.
//!
//! A wrong object counts against the quota of the tenant until it is deleted or a dataset repaths
//! it.

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

/// Converts a size for a column. Larger objects do not exist in S3.
pub(super) fn bytes(size: u64) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX)
}

/// Stores the size of the wrong object of an upload that failed or expired; `None` if there is
/// none.
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

/// Stores the size of the wrong object of a failed upload, and records that its final check was
/// done, unless its lease was lost meanwhile.
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

/// Records that datasets have replaced the wrong objects at these paths. Rows that another
/// transaction has locked are skipped: that transaction is followed by a new check of the object.
pub(super) async fn clear_replaced(
    connection: &mut Connection,
    paths: &[TenantPath<'_>],
) -> Result<()> {
    diesel::sql_query(
        "UPDATE uploads SET unproven_size = NULL WHERE id IN ( \
         SELECT id FROM uploads JOIN unnest($1, $2) AS replaced (tenant, path) USING (tenant, path) \
         WHERE unproven_size IS NOT NULL AND status IN ('Error', 'Expired') \
         FOR UPDATE OF uploads SKIP LOCKED)",
    )
    .bind::<Array<Text>, _>(each(paths, |path| path.tenant))
    .bind::<Array<Text>, _>(each(paths, |path| path.path))
    .execute(connection)
    .await?;
    Ok(())
}
