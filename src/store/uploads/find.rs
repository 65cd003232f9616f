//! Finds one row, or the few rows of one path.

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::Bool;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::acknowledged::find_acknowledged;
use super::janitor_lease::DueRows;
use super::list::{Filter, list};
use super::row::Row;
use crate::domain::path::DatasetPath;
use crate::domain::upload::Upload;
use crate::store::schema::uploads;
use crate::store::{Connection, Result};

/// Finds an upload of this tenant.
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

/// Finds those of the uploads that belong to this tenant, in one query and in no particular order.
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

/// Finds uploads of any tenants, in one query and in no particular order. Only for work of the
/// broker itself, whose ids come from its own tables.
pub async fn find_by_ids_of_all_tenants(
    connection: &mut Connection,
    ids: &[Uuid],
) -> Result<Vec<Upload>> {
    let rows: Vec<Row> = uploads::table
        .filter(uploads::id.eq_any(ids))
        .select(Row::as_select())
        .load(connection)
        .await?;
    rows.into_iter().map(Row::into_upload).collect()
}

/// Finds the newest upload of a path, in any status.
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

/// Finds the upload that a delete of a path applies to: the acknowledged one, or else one that is
/// Deleting, or else the newest.
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
