//! A row of the table, and its conversion into the domain type.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::result::Error;
use serde_json::Value;
use uuid::Uuid;

use crate::domain::job::{Job, JobOutput};
use crate::store::Result;
use crate::store::schema::jobs;

#[derive(Queryable, Selectable)]
#[diesel(table_name = jobs, check_for_backend(diesel::pg::Pg))]
pub(super) struct Row {
    pub(super) id: Uuid,
    pub(super) upload_id: Uuid,
    tenant: String,
    processor: String,
    options: Value,
    status: String,
    attempts: i32,
    progress: Option<f64>,
    message: Option<String>,
    outputs: Value,
    report: Option<Value>,
    due_at: DateTime<Utc>,
    holder: Option<Uuid>,
    leased_until: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    started_at: Option<DateTime<Utc>>,
    ended_at: Option<DateTime<Utc>>,
}

/// A value that the constraints of the table rule out. It is caused by a bug of this program.
#[derive(Debug, thiserror::Error)]
#[error("job {id}: the column {column} has a value that no version of this program writes")]
struct Corrupt {
    id: Uuid,
    column: &'static str,
}

/// The error for such a value.
pub(super) fn corrupt(id: Uuid, column: &'static str) -> Error {
    Error::DeserializationError(Box::new(Corrupt { id, column }))
}

impl Row {
    pub(super) fn into_job(self) -> Result<Job> {
        let id = self.id;
        let corrupt = |column| corrupt(id, column);
        let outputs: Vec<JobOutput> =
            serde_json::from_value(self.outputs).map_err(|_| corrupt("outputs"))?;
        Ok(Job {
            id,
            upload_id: self.upload_id,
            tenant: self.tenant,
            processor: self.processor,
            options: self.options,
            status: self.status.parse().map_err(|_| corrupt("status"))?,
            attempts: u32::try_from(self.attempts).map_err(|_| corrupt("attempts"))?,
            progress: self.progress,
            message: self.message,
            outputs,
            report: self.report,
            due_at: self.due_at,
            holder: self.holder,
            leased_until: self.leased_until,
            created_at: self.created_at,
            updated_at: self.updated_at,
            started_at: self.started_at,
            ended_at: self.ended_at,
        })
    }
}

/// Converts many rows.
pub(super) fn into_jobs(rows: Vec<Row>) -> Result<Vec<Job>> {
    rows.into_iter().map(Row::into_job).collect()
}
