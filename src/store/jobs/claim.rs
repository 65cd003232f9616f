//! Claims queued jobs for workers.
//!
//! A claim starts with the tenants that have due jobs, those with the fewest running jobs first, and
//! takes an equal number from each of them. So one tenant with many jobs does not delay the only job
//! of another tenant. Each step is an index lookup for each tenant, however many jobs are queued.

use std::time::Duration;

use chrono::{DateTime, Utc};
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::row::{Row, into_jobs};
use super::upload_status::start_processing;
use crate::clock::Clock;
use crate::domain::job::{Job, JobStatus};
use crate::domain::notified_types::NotifiedTypes;
use crate::domain::upload::Upload;
use crate::store::lease::{Lease, lease_expiry};
use crate::store::like_pattern::starts_with;
use crate::store::schema::jobs;
use crate::store::uploads;
use crate::store::{Connection, Result};

/// Which jobs to claim, and for how long.
#[derive(Clone, Debug)]
pub struct Claim<'a> {
    /// The name of the processor.
    pub processor: &'a str,
    /// The tenants whose jobs may be claimed, in the order of preference.
    pub tenants: &'a [String],
    /// Only the job on this upload.
    pub upload: Option<Uuid>,
    /// Only jobs on datasets in this folder.
    pub within: Option<&'a str>,
    /// The largest number of jobs of all tenants.
    pub limit: i64,
    /// The length of each lease.
    pub lease: Duration,
    /// The current time of the caller.
    pub now: DateTime<Utc>,
    /// The types of events that are to be published.
    pub notified: &'a NotifiedTypes,
}

/// A claimed job and its upload.
#[derive(Clone, Debug)]
pub struct ClaimedJob {
    /// The job, which has a lease of its own.
    pub job: Job,
    /// The upload, which is Processing.
    pub upload: Upload,
}

#[derive(QueryableByName)]
struct TenantName {
    #[diesel(sql_type = Text)]
    tenant: String,
}

/// SQL: the tenants with due jobs of the processor `$1` at the time `$2`. The recursive part reads
/// one entry of the index for each tenant, instead of one for each job.
const TENANTS_WITH_DUE_JOBS: &str = "WITH RECURSIVE queued (tenant) AS ( \
     SELECT (SELECT tenant FROM jobs WHERE status = 'Queued' AND processor = $1 \
             ORDER BY tenant LIMIT 1) \
     UNION ALL \
     SELECT (SELECT jobs.tenant FROM jobs WHERE status = 'Queued' AND processor = $1 \
             AND jobs.tenant > queued.tenant ORDER BY jobs.tenant LIMIT 1) \
     FROM queued WHERE queued.tenant IS NOT NULL) \
     SELECT queued.tenant FROM queued CROSS JOIN LATERAL ( \
     SELECT due_at FROM jobs WHERE status = 'Queued' AND processor = $1 \
     AND jobs.tenant = queued.tenant ORDER BY due_at LIMIT 1) AS first \
     WHERE first.due_at <= $2 \
     ORDER BY (SELECT count(*) FROM jobs WHERE status = 'Running' AND processor = $1 \
               AND jobs.tenant = queued.tenant), random() LIMIT $3";

/// Returns at most `limit` tenants with due jobs of a processor: those with the fewest running jobs
/// first, and among these at random. If those that have waited longest came first, a tenant with many
/// jobs would delay all others where few jobs run at the same time.
pub async fn find_tenants_with_due_jobs(
    connection: &mut Connection,
    processor: &str,
    now: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<String>> {
    let tenants: Vec<TenantName> = diesel::sql_query(TENANTS_WITH_DUE_JOBS)
        .bind::<Text, _>(processor)
        .bind::<Timestamptz, _>(now)
        .bind::<BigInt, _>(limit)
        .load(connection)
        .await?;
    Ok(tenants.into_iter().map(|row| row.tenant).collect())
}

#[derive(QueryableByName)]
struct Picked {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
}

/// SQL: due jobs of each tenant, with the rows of their uploads locked. Jobs whose upload another
/// transaction has locked are skipped.
const PICK_DUE_JOBS: &str = "SELECT picked.id \
     FROM unnest($1::text[]) WITH ORDINALITY AS wanted (tenant, position) CROSS JOIN LATERAL ( \
     SELECT jobs.id FROM jobs JOIN uploads ON uploads.id = jobs.upload_id \
     WHERE jobs.status = 'Queued' AND jobs.processor = $2 AND jobs.tenant = wanted.tenant \
     AND jobs.due_at <= $3 AND uploads.status IN ('Uploaded', 'Processing', 'Processed') \
     AND ($4 IS NULL OR uploads.path LIKE $4) AND ($7 IS NULL OR uploads.id = $7) \
     ORDER BY jobs.due_at, jobs.id LIMIT $5 FOR NO KEY UPDATE OF uploads SKIP LOCKED) AS picked \
     ORDER BY wanted.position LIMIT $6";

/// Claims due jobs: marks them Running under a new lease each, and their uploads Processing. Call it
/// inside a transaction.
pub async fn claim_due(
    connection: &mut Connection,
    clock: &Clock,
    claim: &Claim<'_>,
) -> Result<Vec<ClaimedJob>> {
    let tenants = i64::try_from(claim.tenants.len())
        .unwrap_or(i64::MAX)
        .max(1);
    let for_each_tenant = claim.limit.saturating_add(tenants - 1) / tenants;
    let picked: Vec<Picked> = diesel::sql_query(PICK_DUE_JOBS)
        .bind::<Array<Text>, _>(claim.tenants)
        .bind::<Text, _>(claim.processor)
        .bind::<Timestamptz, _>(claim.now)
        .bind::<Nullable<Text>, _>(claim.within.map(starts_with))
        .bind::<BigInt, _>(for_each_tenant)
        .bind::<BigInt, _>(claim.limit)
        .bind::<Nullable<SqlUuid>, _>(claim.upload)
        .load(connection)
        .await?;
    if picked.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<Uuid> = picked.into_iter().map(|job| job.id).collect();
    let lease = Lease::new(clock, claim.lease);
    let jobs = mark_running(connection, &ids, &lease, claim.now).await?;
    let uploads: Vec<Uuid> = jobs.iter().map(|job| job.upload_id).collect();
    start_processing(connection, &uploads, claim.now, claim.notified).await?;
    let mut claimed = Vec::with_capacity(jobs.len());
    let uploads = uploads::find_by_ids_of_all_tenants(connection, &uploads).await?;
    for job in jobs {
        let upload = uploads.iter().find(|upload| upload.id == job.upload_id);
        if let Some(upload) = upload.cloned() {
            claimed.push(ClaimedJob { job, upload });
        }
    }
    Ok(claimed)
}

/// Claims one job whose upload the caller has locked, whether it is due or not. Returns `None` if
/// the job is neither Queued, nor Running with a lease that has ended.
pub async fn claim_one(
    connection: &mut Connection,
    id: Uuid,
    lease: &Lease,
    now: DateTime<Utc>,
) -> Result<Option<Job>> {
    let claimed = mark_running(connection, &[id], lease, now).await?;
    Ok(claimed.into_iter().next())
}

async fn mark_running(
    connection: &mut Connection,
    ids: &[Uuid],
    lease: &Lease,
    now: DateTime<Utc>,
) -> Result<Vec<Job>> {
    let is_free = jobs::leased_until
        .is_null()
        .or(jobs::leased_until.le(crate::store::lease::current_time!(lease)));
    let rows = jobs::table
        .filter(jobs::id.eq_any(ids))
        .filter(jobs::status.eq_any([JobStatus::Queued.as_str(), JobStatus::Running.as_str()]))
        .filter(is_free);
    let rows: Vec<Row> = diesel::update(rows)
        .set((
            jobs::status.eq(JobStatus::Running.as_str()),
            // Each job has a token of its own, because it may end up with another program.
            jobs::holder.eq(sql::<Nullable<SqlUuid>>("gen_random_uuid()")),
            jobs::leased_until.eq(lease_expiry!(lease)),
            jobs::attempts.eq(jobs::attempts + 1),
            jobs::progress.eq(None::<f64>),
            jobs::message.eq(None::<String>),
            jobs::started_at.eq(now),
            jobs::updated_at.eq(now),
        ))
        .returning(Row::as_returning())
        .get_results(connection)
        .await?;
    let mut jobs = into_jobs(rows)?;
    jobs.sort_by_key(|job| job.id);
    Ok(jobs)
}
