//! Queues jobs.

use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::{NoContext, Timestamp, Uuid};

use crate::domain::job::NewJob;
use crate::store::columns::{each, json, try_each};
use crate::store::{Connection, Result};

/// Queues jobs, which are due at once. A job that exists already is left unchanged: there is one for
/// each pair of upload and processor.
pub async fn insert(connection: &mut Connection, new: &[NewJob], at: DateTime<Utc>) -> Result<()> {
    if new.is_empty() {
        return Ok(());
    }
    diesel::sql_query(
        "INSERT INTO jobs \
         (id, upload_id, tenant, processor, options, due_at, created_at, updated_at) \
         SELECT id, upload_id, tenant, processor, options::jsonb, $6, $6, $6 \
         FROM unnest($1, $2, $3, $4, $5) AS new (id, upload_id, tenant, processor, options) \
         ON CONFLICT (upload_id, processor) DO NOTHING",
    )
    .bind::<Array<SqlUuid>, _>(each(new, |_| new_id(at)))
    .bind::<Array<SqlUuid>, _>(each(new, |job| job.upload_id))
    .bind::<Array<Text>, _>(each(new, |job| &*job.tenant))
    .bind::<Array<Text>, _>(each(new, |job| &*job.processor))
    .bind::<Array<Text>, _>(try_each(new, |job| json(&job.options))?)
    .bind::<Timestamptz, _>(at)
    .execute(connection)
    .await?;
    Ok(())
}

/// Creates an id that starts with the time, so that lists by id are lists by time.
fn new_id(at: DateTime<Utc>) -> Uuid {
    let seconds = u64::try_from(at.timestamp()).unwrap_or_default();
    let nanoseconds = at.timestamp_subsec_nanos();
    Uuid::new_v7(Timestamp::from_unix(NoContext, seconds, nanoseconds))
}
