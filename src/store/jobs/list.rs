//! Lists the jobs of a tenant, newest first.

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::row::{Row, into_jobs};
use crate::domain::job::{Job, JobStatus};
use crate::store::like_pattern::starts_with;
use crate::store::schema::{jobs, uploads};
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

/// Lists at most `limit` jobs of a tenant, newest first.
pub async fn list(
    connection: &mut Connection,
    tenant: &str,
    filter: &Filter,
    limit: i64,
) -> Result<Vec<Job>> {
    let before = filter.before.unwrap_or(Uuid::max());
    let mut query = jobs::table
        .filter(jobs::tenant.eq(tenant))
        .filter(sql::<Bool>("jobs.id < ").bind::<SqlUuid, _>(before))
        .order(jobs::id.desc())
        .limit(limit)
        .select(Row::as_select())
        .into_boxed();
    if let Some(status) = filter.status {
        query = query.filter(jobs::status.eq(status.as_str()));
    }
    if let Some(processor) = &filter.processor {
        query = query.filter(jobs::processor.eq(processor));
    }
    if let Some(within) = &filter.within {
        let inside = uploads::table
            .filter(uploads::id.eq(jobs::upload_id))
            .filter(sql::<Bool>("uploads.path LIKE ").bind::<Text, _>(starts_with(within)));
        query = query.filter(diesel::dsl::exists(inside));
    }
    into_jobs(query.load(connection).await?)
}
