//! One row, or the few at one path.

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::Bool;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::janitor_lease::DueRows;
use super::list::{Filter, list};
use super::row::Row;
use crate::domain::path::DatasetPath;
use crate::domain::upload::Upload;
use crate::store::schema::uploads;
use crate::store::{Connection, Result};

// Written out, not bound: Postgres uses a partial index only where it sees the predicate.
pub(super) const STANDING: &str = "uploads.status IN ('Uploaded', 'Processing', 'Processed')";

/// The upload, if it is this tenant's.
pub async fn find_by_id(
    connection: &mut Connection,
    tenant: &str,
    id: Uuid,
) -> Result<Option<Upload>> {
    let row = uploads::table
        .filter(uploads::id.eq(id))
        .filter(uploads::tenant.eq(tenant))
        .select(Row::as_select())
        .first(connection)
        .await
        .optional()?;
    row.map(Row::into_upload).transpose()
}

/// Those of the uploads that are this tenant's, in no order, in one query.
pub async fn find_by_ids(
    connection: &mut Connection,
    tenant: &str,
    ids: &[Uuid],
) -> Result<Vec<Upload>> {
    let rows: Vec<Row> = uploads::table
        .filter(uploads::id.eq_any(ids))
        .filter(uploads::tenant.eq(tenant))
        .select(Row::as_select())
        .load(connection)
        .await?;
    rows.into_iter().map(Row::into_upload).collect()
}

/// The newest upload of a path, whatever became of it.
pub async fn find_newest_at_path(
    connection: &mut Connection,
    tenant: &str,
    path: &DatasetPath,
) -> Result<Option<Upload>> {
    let filter = Filter {
        path: Some(path.as_str().to_owned()),
        ..Filter::default()
    };
    Ok(list(connection, tenant, &filter, 1).await?.pop())
}

/// The upload that a delete of a path means: the acknowledged one, else a Deleting one, else the
/// newest.
pub async fn find_delete_target(
    connection: &mut Connection,
    tenant: &str,
    path: &DatasetPath,
) -> Result<Option<Upload>> {
    let paths = [path.as_str()];
    if let Some(upload) = find_acknowledged(connection, tenant, &paths).await?.pop() {
        return Ok(Some(upload));
    }
    let row = uploads::table
        .filter(uploads::tenant.eq(tenant))
        .filter(uploads::path.eq(path.as_str()))
        .filter(sql::<Bool>(DueRows::Deleting.predicate()))
        .order(uploads::updated_at.desc())
        .select(Row::as_select())
        .first(connection)
        .await
        .optional()?;
    match row {
        Some(row) => row.into_upload().map(Some),
        None => find_newest_at_path(connection, tenant, path).await,
    }
}

/// The acknowledged uploads of many paths, at most one a path, in one query.
pub async fn find_acknowledged(
    connection: &mut Connection,
    tenant: &str,
    paths: &[&str],
) -> Result<Vec<Upload>> {
    let rows: Vec<Row> = uploads::table
        .filter(uploads::tenant.eq(tenant))
        .filter(uploads::path.eq_any(paths))
        .filter(sql::<Bool>(STANDING))
        .distinct_on(uploads::path)
        .order((uploads::path, uploads::uploaded_at.desc()))
        .select(Row::as_select())
        .load(connection)
        .await?;
    rows.into_iter().map(Row::into_upload).collect()
}
