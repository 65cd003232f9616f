//! Lists pages of rows, newest first.
//!
//! The cost of a page depends on its size and not on the number of rows. There is one index of the
//! rows of a tenant in the order of their ids, one of these rows by status, and one by path and
//! status. A page without a prefix reads one of these indexes from its start position, status by
//! status, and merges the results. The rows that were derived from one row have an index of their
//! own.
//!
//! Postgres keeps one plan for all parameter values of such a query. If the query selected rows
//! only by equality and sorted them by id, Postgres might scan the primary key and skip all other
//! rows: that is fast for a tenant or a status with many rows, and a scan of the whole table for
//! one with few. So the query has the sort order of the index, and compares the index columns with
//! the start position.
//!
//! With a prefix, the best plan depends on the prefix: few rows are best sorted, and many are best
//! found during a scan. Such a query is planned each time.

use diesel::helper_types::{AsSelect, SqlTypeOf};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{Array, BigInt, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::row::Row;
use crate::domain::status::Status;
use crate::domain::upload::Upload;
use crate::store::columns::each;
use crate::store::like_pattern::starts_with;
use crate::store::{Connection, Result};

/// Conditions for rows. Those that are `None` do not apply.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Rows with one of these statuses; with any status if it is empty.
    pub statuses: Vec<Status>,
    /// Rows whose path starts with this, including the leading slash.
    pub prefix: Option<String>,
    /// Rows with exactly this path.
    pub path: Option<String>,
    /// Rows that were derived from this one.
    pub derived_from: Option<Uuid>,
    /// Rows in this folder, which the caller is confined to.
    pub within: Option<String>,
    /// Rows older than this one, with which the last page ended.
    pub before: Option<Uuid>,
}

/// Lists at most `limit` rows, newest first. The pagination is by key, so rows that are inserted
/// meanwhile do not shift a page.
pub async fn list(
    connection: &mut Connection,
    tenant: &str,
    filter: &Filter,
    limit: i64,
) -> Result<Vec<Upload>> {
    // The index of paths has the status before the id, so all statuses are listed. Each status is
    // used once, even if it was requested twice.
    let any = filter.statuses.is_empty() && filter.path.is_some();
    let statuses: Vec<Status> = (Status::ALL.into_iter())
        .filter(|status| any || filter.statuses.contains(status))
        .collect();
    let starts = filter.prefix.iter().chain(&filter.within);
    let page = Page {
        tenant,
        statuses: each(&statuses, |status| status.as_str()),
        path: filter.path.as_deref(),
        derived_from: filter.derived_from,
        patterns: starts.map(|start| starts_with(start)).collect(),
        // Greater than every generated id.
        before: filter.before.unwrap_or(Uuid::max()),
        limit,
        returning: Row::as_select(),
    };
    let rows: Vec<Row> = page.load(connection).await?;
    rows.into_iter().map(Row::into_upload).collect()
}

struct Page<'a> {
    tenant: &'a str,
    /// The statuses to merge; empty to read the rows of all statuses in the order of their ids.
    statuses: Vec<&'static str>,
    path: Option<&'a str>,
    derived_from: Option<Uuid>,
    patterns: Vec<String>,
    before: Uuid,
    limit: i64,
    returning: AsSelect<Row, Pg>,
}

impl Page<'_> {
    /// Appends the query for the rows of one status, or of all statuses.
    fn rows<'b>(&'b self, out: &mut AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        if let Some(source) = &self.derived_from {
            self.derived_rows(out, source)?;
            return self.limit(out);
        }
        match (&*self.patterns, &*self.statuses) {
            ([], []) => self.along_index(out, "tenant", |out| {
                out.push_bind_param::<Text, _>(self.tenant)
            })?,
            ([], _) => {
                self.of_tenant(out)?;
                out.push_sql(" AND ");
                self.along_index(out, "status", |out| {
                    out.push_sql("wanted.status");
                    Ok(())
                })?;
            }
            (_, statuses) => {
                self.of_tenant(out)?;
                if !statuses.is_empty() {
                    out.push_sql(" AND uploads.status = wanted.status");
                }
                self.matching_patterns(out)?;
                out.push_sql(" AND uploads.id < ");
                out.push_bind_param::<SqlUuid, _>(&self.before)?;
                out.push_sql(" ORDER BY uploads.id DESC");
            }
        }
        self.limit(out)
    }

    /// Appends the conditions for rows that were derived from `source`. There are few of them, so
    /// the other conditions need no index.
    fn derived_rows<'b>(
        &'b self,
        out: &mut AstPass<'_, 'b, Pg>,
        source: &'b Uuid,
    ) -> QueryResult<()> {
        self.of_tenant(out)?;
        if !self.statuses.is_empty() {
            out.push_sql(" AND uploads.status = ANY(");
            out.push_bind_param::<Array<Text>, _>(&self.statuses)?;
            out.push_sql(")");
        }
        self.matching_patterns(out)?;
        out.push_sql(" AND ");
        self.along_index(out, "derived_from", |out| {
            out.push_bind_param::<SqlUuid, _>(source)
        })
    }

    fn matching_patterns<'b>(&'b self, out: &mut AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        for pattern in &self.patterns {
            out.push_sql(" AND uploads.path LIKE ");
            out.push_bind_param::<Text, _>(pattern)?;
        }
        Ok(())
    }

    fn of_tenant<'b>(&'b self, out: &mut AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("uploads.tenant = ");
        out.push_bind_param::<Text, _>(self.tenant)?;
        if let Some(path) = &self.path {
            out.push_sql(" AND uploads.path = ");
            out.push_bind_param::<Text, _>(*path)?;
        }
        Ok(())
    }

    /// Appends the conditions for rows with `value` in `column`, in the order of an index of
    /// `column` and the id.
    fn along_index<'b>(
        &'b self,
        out: &mut AstPass<'_, 'b, Pg>,
        column: &str,
        value: impl Fn(&mut AstPass<'_, 'b, Pg>) -> QueryResult<()>,
    ) -> QueryResult<()> {
        out.push_sql("(uploads.");
        out.push_sql(column);
        out.push_sql(", uploads.id) < (");
        value(out)?;
        out.push_sql(", ");
        out.push_bind_param::<SqlUuid, _>(&self.before)?;
        out.push_sql(") AND uploads.");
        out.push_sql(column);
        out.push_sql(" >= ");
        value(out)?;
        out.push_sql(" ORDER BY uploads.");
        out.push_sql(column);
        out.push_sql(" DESC, uploads.id DESC");
        Ok(())
    }

    fn limit<'b>(&'b self, out: &mut AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql(" LIMIT ");
        out.push_bind_param::<BigInt, _>(&self.limit)
    }
}

impl QueryFragment<Pg> for Page<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        if !self.patterns.is_empty() {
            out.unsafe_to_cache_prepared();
        }
        out.push_sql("SELECT ");
        self.returning.walk_ast(out.reborrow())?;
        if self.statuses.is_empty() || self.derived_from.is_some() {
            out.push_sql(" FROM uploads WHERE ");
            return self.rows(&mut out);
        }
        out.push_sql(" FROM unnest(");
        out.push_bind_param::<Array<Text>, _>(&self.statuses)?;
        out.push_sql(") AS wanted (status) CROSS JOIN LATERAL (SELECT * FROM uploads WHERE ");
        self.rows(&mut out)?;
        out.push_sql(") AS uploads ORDER BY uploads.id DESC");
        self.limit(&mut out)
    }
}

impl QueryId for Page<'_> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl Query for Page<'_> {
    type SqlType = SqlTypeOf<AsSelect<Row, Pg>>;
}
