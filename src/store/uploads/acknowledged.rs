//! Finds the acknowledged uploads of paths.
//!
//! There is at most one for each path of a tenant, but Postgres does not derive that from the partial
//! unique index: it expects as many rows as the path ever had uploads, and may read and sort them with
//! parallel workers. So each path is a lookup of its own, which ends with the first row.

use diesel::helper_types::{AsSelect, SqlTypeOf};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::Text;
use diesel_async::RunQueryDsl;

use super::row::Row;
use crate::domain::upload::Upload;
use crate::store::columns::bind_arrays;
use crate::store::{Connection, Result};

/// SQL: whether an upload is acknowledged.
///
/// This is a literal instead of bind parameters, because Postgres uses a partial index only if the
/// query has its predicate.
pub(in crate::store) const ACKNOWLEDGED: &str =
    "uploads.status IN ('Uploaded', 'Processing', 'Processed')";

/// Finds the acknowledged uploads of many paths, at most one for each path, in one query and in no
/// particular order.
pub async fn find_acknowledged(
    connection: &mut Connection,
    tenant: &str,
    paths: &[&str],
) -> Result<Vec<Upload>> {
    let tenants = vec![tenant; paths.len()];
    find_acknowledged_of_tenants(connection, &tenants, paths).await
}

/// Finds the acknowledged uploads of places: `paths[n]` is a path of `tenants[n]`.
pub(super) async fn find_acknowledged_of_tenants(
    connection: &mut Connection,
    tenants: &[&str],
    paths: &[&str],
) -> Result<Vec<Upload>> {
    let query = Acknowledged {
        tenants,
        paths,
        returning: Row::as_select(),
    };
    let rows: Vec<Row> = query.load(connection).await?;
    rows.into_iter().map(Row::into_upload).collect()
}

/// The acknowledged uploads of places, which are pairs of a tenant and a path.
struct Acknowledged<'a> {
    tenants: &'a [&'a str],
    paths: &'a [&'a str],
    returning: AsSelect<Row, Pg>,
}

impl QueryFragment<Pg> for Acknowledged<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("SELECT ");
        self.returning.walk_ast(out.reborrow())?;
        out.push_sql(" FROM (SELECT DISTINCT tenant, path FROM unnest(");
        bind_arrays!(out, Text: &self.tenants, Text: &self.paths);
        out.push_sql(
            ") AS given (tenant, path)) AS place CROSS JOIN LATERAL (SELECT * FROM uploads \
             WHERE uploads.tenant = place.tenant AND uploads.path = place.path AND ",
        );
        out.push_sql(ACKNOWLEDGED);
        out.push_sql(" LIMIT 1) AS uploads");
        Ok(())
    }
}

impl QueryId for Acknowledged<'_> {
    type QueryId = Acknowledged<'static>;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl Query for Acknowledged<'_> {
    type SqlType = SqlTypeOf<AsSelect<Row, Pg>>;
}
