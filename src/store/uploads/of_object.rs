//! From an object to the uploads that it concerns, whichever tenant's. Only what the store itself
//! says is looked up like this, never what a caller asks for.

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Text};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::find::STANDING;
use super::row::Row;
use crate::domain::upload::Upload;
use crate::store::schema::{tenants, uploads};
use crate::store::{Connection, Result};

/// The upload that an object's metadata names, if there is one.
pub async fn named(connection: &mut Connection, id: Uuid) -> Result<Option<Upload>> {
    let row = uploads::table
        .find(id)
        .select(Row::as_select())
        .first(connection)
        .await
        .optional()?;
    row.map(Row::into_upload).transpose()
}

/// The acknowledged uploads whose object stands at a key. More than one only where the key became
/// another tenant's, and both hold an upload there.
pub async fn standing_at(
    connection: &mut Connection,
    bucket: &str,
    key: &str,
) -> Result<Vec<Upload>> {
    // Rows are indexed by tenant and path. A tenant's name has no slash, so that a key lies under
    // few prefixes: the empty one and at most one other.
    let owners: Vec<(String, String)> = tenants::table
        .filter(
            sql::<Bool>("starts_with(")
                .bind::<Text, _>(key)
                .sql(", key_prefix)"),
        )
        .select((tenants::name, tenants::key_prefix))
        .load(connection)
        .await?;
    let paths: Vec<String> = (owners.iter())
        .filter_map(|(_, prefix)| key.strip_prefix(prefix.as_str()))
        .map(|relative| format!("/{relative}"))
        .collect();
    let names: Vec<String> = owners.into_iter().map(|(name, _)| name).collect();
    let rows: Vec<Row> = uploads::table
        .filter(uploads::tenant.eq_any(names))
        .filter(uploads::path.eq_any(paths))
        .filter(uploads::bucket.eq(bucket))
        .filter(uploads::key.eq(key))
        .filter(sql::<Bool>(STANDING))
        .select(Row::as_select())
        .load(connection)
        .await?;
    rows.into_iter().map(Row::into_upload).collect()
}
