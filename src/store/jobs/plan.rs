//! The jobs of the inputs of a processing plan.

use chrono::{DateTime, Utc};
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::Bool;
use diesel_async::RunQueryDsl;
use serde_json::Value;
use uuid::Uuid;

use super::insert;
use super::row::{Row, into_jobs};
use crate::domain::job::{Job, NewJob};
use crate::store::schema::{jobs, uploads};
use crate::store::uploads::ACKNOWLEDGED;
use crate::store::{Connection, Result};

/// Finds the jobs of a processor on uploads of a tenant, in no particular order.
pub async fn find_of_processor(
    connection: &mut Connection,
    tenant: &str,
    upload_ids: &[Uuid],
    processor: &str,
) -> Result<Vec<Job>> {
    let rows: Vec<Row> = jobs::table
        .filter(jobs::upload_id.eq_any(upload_ids))
        .filter(jobs::processor.eq(processor))
        .filter(jobs::tenant.eq(tenant))
        .select(Row::as_select())
        .load(connection)
        .await?;
    into_jobs(rows)
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
