//! Removes what is no longer needed: a few thousand rows at most for each job.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::store::schema::{jobs, text_detections};
use crate::store::{Connection, Result};

/// Removes the detection for a job that succeeds, with its text, in the transaction that ends the job.
///
/// That of a job that fails stays: a retry must not start the same run again, and needs no second
/// run if the text was fetched.
pub async fn remove(connection: &mut Connection, job: Uuid) -> Result<()> {
    diesel::delete(text_detections::table.find(job))
        .execute(connection)
        .await?;
    Ok(())
}

/// Removes the detections for all jobs of uploads that are replaced or deleted, in the transaction that
/// cancels these jobs.
pub async fn remove_of_uploads(connection: &mut Connection, uploads: &[Uuid]) -> Result<()> {
    let of_uploads = jobs::table
        .filter(jobs::upload_id.eq_any(uploads))
        .select(jobs::id);
    diesel::delete(text_detections::table.filter(text_detections::job_id.eq_any(of_uploads)))
        .execute(connection)
        .await?;
    Ok(())
}
