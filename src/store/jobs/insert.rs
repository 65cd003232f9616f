//! Queues jobs.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde_json::Value;
use uuid::{NoContext, Timestamp, Uuid};

use crate::domain::job::NewJob;
use crate::store::columns::each;
use crate::store::schema::jobs;
use crate::store::{Connection, Result};

#[derive(Insertable)]
#[diesel(table_name = jobs)]
struct NewRow<'a> {
    id: Uuid,
    upload_id: Uuid,
    tenant: &'a str,
    processor: &'a str,
    options: &'a Value,
    due_at: DateTime<Utc>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

/// Queues jobs, which are due at once. A job that exists already is left unchanged: there is one for
/// each pair of upload and processor.
pub async fn insert(connection: &mut Connection, new: &[NewJob], at: DateTime<Utc>) -> Result<()> {
    if new.is_empty() {
        return Ok(());
    }
    let rows = each(new, |job| NewRow {
        id: new_id(at),
        upload_id: job.upload_id,
        tenant: &job.tenant,
        processor: &job.processor,
        options: &job.options,
        due_at: at,
        created_at: at,
        updated_at: at,
    });
    diesel::insert_into(jobs::table)
        .values(rows)
        .on_conflict((jobs::upload_id, jobs::processor))
        .do_nothing()
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
