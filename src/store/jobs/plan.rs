//! The jobs of the inputs of a processing plan.

use chrono::{DateTime, Utc};
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Jsonb, Nullable, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde_json::Value;
use uuid::Uuid;

use super::insert;
use super::row::corrupt;
use crate::domain::job::{JobOutput, JobStatus, NewJob};
use crate::store::schema::uploads;
use crate::store::uploads::ACKNOWLEDGED;
use crate::store::{Connection, Result};

/// The job of an input, as far as a plan needs it: a report may be large.
#[derive(Clone, Debug, PartialEq)]
pub struct PlannedJob {
    /// The upload.
    pub upload_id: Uuid,
    /// The status.
    pub status: JobStatus,
    /// Why the job failed, if it has.
    pub message: Option<String>,
    /// The first dataset that the job has written.
    pub output: Option<JobOutput>,
    /// Whether the job has the options of the plan.
    pub has_options: bool,
    /// The number of rows in its report, and of bad rows.
    pub rows: (u64, u64),
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    upload_id: Uuid,
    #[diesel(sql_type = Text)]
    status: String,
    #[diesel(sql_type = Nullable<Text>)]
    message: Option<String>,
    #[diesel(sql_type = Jsonb)]
    outputs: Value,
    #[diesel(sql_type = Bool)]
    has_options: bool,
    #[diesel(sql_type = Nullable<BigInt>)]
    rows: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    bad_rows: Option<i64>,
}

/// Finds the jobs of a processor on uploads of a tenant, in no particular order. `options` are those of
/// the plan.
pub async fn find_planned_jobs(
    connection: &mut Connection,
    tenant: &str,
    upload_ids: &[Uuid],
    processor: &str,
    options: &Value,
) -> Result<Vec<PlannedJob>> {
    let rows: Vec<Row> = diesel::sql_query(
        "SELECT id, upload_id, status, message, outputs, options = $4 AS has_options, \
         (report ->> 'rows')::bigint AS rows, (report #>> '{bad_rows,count}')::bigint AS bad_rows \
         FROM jobs WHERE upload_id = ANY($1) AND tenant = $2 AND processor = $3",
    )
    .bind::<Array<SqlUuid>, _>(upload_ids)
    .bind::<Text, _>(tenant)
    .bind::<Text, _>(processor)
    .bind::<Jsonb, _>(options)
    .load(connection)
    .await?;
    rows.into_iter().map(Row::into_job).collect()
}

impl Row {
    fn into_job(self) -> Result<PlannedJob> {
        let count = |rows: Option<i64>| u64::try_from(rows.unwrap_or_default()).unwrap_or_default();
        let outputs: Vec<JobOutput> =
            serde_json::from_value(self.outputs).map_err(|_| corrupt(self.id, "outputs"))?;
        let status = self.status.parse();
        Ok(PlannedJob {
            upload_id: self.upload_id,
            status: status.map_err(|_| corrupt(self.id, "status"))?,
            message: self.message,
            output: outputs.into_iter().next(),
            has_options: self.has_options,
            rows: (count(self.rows), count(self.bad_rows)),
        })
    }
}

/// Queues a job of a processor on each of the uploads of a tenant that is the current one of its path
/// and has no such job. Call it inside a transaction: the rows of the uploads are locked, so that none
/// is replaced meanwhile.
pub async fn insert_for_current_uploads(
    connection: &mut Connection,
    tenant: &str,
    upload_ids: &[Uuid],
    processor: &str,
    options: &Value,
    at: DateTime<Utc>,
) -> Result<()> {
    let current: Vec<Uuid> = uploads::table
        .filter(uploads::id.eq_any(upload_ids))
        .filter(uploads::tenant.eq(tenant))
        .filter(sql::<Bool>(ACKNOWLEDGED))
        // In the order of all locks of uploads, so that two transactions cannot deadlock.
        .order(uploads::id)
        .for_no_key_update()
        .select(uploads::id)
        .load(connection)
        .await?;
    let new: Vec<NewJob> = (current.into_iter())
        .map(|upload_id| NewJob {
            upload_id,
            tenant: tenant.to_owned(),
            processor: processor.to_owned(),
            options: options.clone(),
        })
        .collect();
    insert::insert(connection, &new, at).await
}
