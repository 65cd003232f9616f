//! Lists pages of jobs, newest first.
//!
//! The cost of a page depends on its size and not on the number of jobs. There is an index of the jobs
//! of a tenant in the order of their ids, one of them by status, and one by processor and status. With
//! a processor and no status, the index is read from its start position for each status, and the
//! results are merged. The query has the sort order of the index and compares the index columns with the
//! start position, because one plan serves all values (see `store::uploads::list`).

use diesel::helper_types::{AsSelect, SqlTypeOf};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{Array, BigInt, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::row::{Row, into_jobs};
use crate::domain::job::{Job, JobStatus};
use crate::store::like_pattern::starts_with;
use crate::store::{Connection, Result};

/// Conditions for jobs. Those that are `None` do not apply.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Jobs with this status.
    pub status: Option<JobStatus>,
    /// Jobs of this processor.
    pub processor: Option<String>,
    /// Jobs on datasets in this folder, which the caller is confined to.
    pub within: Option<String>,
    /// Jobs older than this one, with which the last page ended.
    pub before: Option<Uuid>,
}

/// Lists at most `limit` jobs of a tenant, newest first. The pagination is by key, so jobs that are
/// queued meanwhile do not shift a page.
pub async fn list(
    connection: &mut Connection,
    tenant: &str,
    filter: &Filter,
    limit: i64,
) -> Result<Vec<Job>> {
    let statuses: Vec<&str> = match (filter.status, &filter.processor) {
        (Some(status), _) => vec![status.as_str()],
        (None, Some(_)) => JobStatus::ALL.map(JobStatus::as_str).to_vec(),
        (None, None) => Vec::new(),
    };
    let page = Page {
        tenant,
        processor: filter.processor.as_deref(),
        statuses,
        within: filter.within.as_deref().map(starts_with),
        // Greater than every generated id.
        before: filter.before.unwrap_or(Uuid::max()),
        limit,
        returning: Row::as_select(),
    };
    into_jobs(page.load(connection).await?)
}

struct Page<'a> {
    tenant: &'a str,
    processor: Option<&'a str>,
    /// The statuses to merge; empty to read the jobs of all statuses in the order of their ids.
    statuses: Vec<&'static str>,
    within: Option<String>,
    before: Uuid,
    limit: i64,
    returning: AsSelect<Row, Pg>,
}

impl Page<'_> {
    /// Appends the query for the jobs of `wanted.status`.
    fn with_status<'b>(&'b self, out: &mut AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("SELECT * FROM jobs WHERE jobs.tenant = ");
        out.push_bind_param::<Text, _>(self.tenant)?;
        if let Some(processor) = &self.processor {
            out.push_sql(" AND jobs.processor = ");
            out.push_bind_param::<Text, _>(*processor)?;
        }
        out.push_sql(" AND (jobs.status, jobs.id) < (wanted.status, ");
        out.push_bind_param::<SqlUuid, _>(&self.before)?;
        out.push_sql(") AND jobs.status >= wanted.status");
        self.in_folder(out)?;
        out.push_sql(" ORDER BY jobs.status DESC, jobs.id DESC LIMIT ");
        out.push_bind_param::<BigInt, _>(&self.limit)
    }

    /// Appends the conditions and the order for the jobs of all statuses.
    fn with_any_status<'b>(&'b self, out: &mut AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("(jobs.tenant, jobs.id) < (");
        out.push_bind_param::<Text, _>(self.tenant)?;
        out.push_sql(", ");
        out.push_bind_param::<SqlUuid, _>(&self.before)?;
        out.push_sql(") AND jobs.tenant >= ");
        out.push_bind_param::<Text, _>(self.tenant)?;
        self.in_folder(out)?;
        out.push_sql(" ORDER BY jobs.tenant DESC, jobs.id DESC LIMIT ");
        out.push_bind_param::<BigInt, _>(&self.limit)
    }

    fn in_folder<'b>(&'b self, out: &mut AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        let Some(pattern) = &self.within else {
            return Ok(());
        };
        out.push_sql(
            " AND EXISTS (SELECT FROM uploads WHERE uploads.id = jobs.upload_id AND uploads.path LIKE ",
        );
        out.push_bind_param::<Text, _>(pattern)?;
        out.push_sql(")");
        Ok(())
    }
}

impl QueryFragment<Pg> for Page<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("SELECT ");
        self.returning.walk_ast(out.reborrow())?;
        if self.statuses.is_empty() {
            out.push_sql(" FROM jobs WHERE ");
            return self.with_any_status(&mut out);
        }
        out.push_sql(" FROM unnest(");
        out.push_bind_param::<Array<Text>, _>(&self.statuses)?;
        out.push_sql(") AS wanted (status) CROSS JOIN LATERAL (");
        self.with_status(&mut out)?;
        out.push_sql(") AS jobs ORDER BY jobs.id DESC LIMIT ");
        out.push_bind_param::<BigInt, _>(&self.limit)
    }
}

impl QueryId for Page<'_> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl Query for Page<'_> {
    type SqlType = SqlTypeOf<AsSelect<Row, Pg>>;
}
