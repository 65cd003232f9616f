//! Pages of rows, newest first.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::row::Row;
use crate::domain::status::Status;
use crate::domain::upload::Upload;
use crate::store::like::starts_with;
use crate::store::schema::uploads;
use crate::store::{Connection, Result};

/// Which rows.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// In one of these states; in any, where it is empty.
    pub statuses: Vec<Status>,
    /// Paths that start like this, with the leading slash.
    pub prefix: Option<String>,
    /// Exactly this path.
    pub path: Option<String>,
    /// In this folder: the caller sees no other.
    pub within: Option<String>,
    /// Older than this one: where the last page ended.
    pub before: Option<Uuid>,
}

/// At most `limit` rows, newest first. Keyset: rows that arrive meanwhile do not shift a page.
pub async fn list(
    connection: &mut Connection,
    tenant: &str,
    filter: &Filter,
    limit: i64,
) -> Result<Vec<Upload>> {
    let mut query = uploads::table
        .filter(uploads::tenant.eq(tenant))
        .order(uploads::id.desc())
        .limit(limit)
        .select(Row::as_select())
        .into_boxed();
    if !filter.statuses.is_empty() {
        let names = filter.statuses.iter().map(|status| status.as_str());
        query = query.filter(uploads::status.eq_any(names.collect::<Vec<_>>()));
    }
    for start in filter.prefix.iter().chain(&filter.within) {
        query = query.filter(uploads::path.like(starts_with(start)));
    }
    if let Some(path) = &filter.path {
        query = query.filter(uploads::path.eq(path));
    }
    if let Some(before) = filter.before {
        query = query.filter(uploads::id.lt(before));
    }
    let rows: Vec<Row> = query.load(connection).await?;
    rows.into_iter().map(Row::into_upload).collect()
}
