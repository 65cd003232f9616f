//! Queues the jobs that the processing rules ask for.

use diesel::QueryResult;

use crate::domain::job::NewJob;
use crate::domain::upload::Upload;
use crate::store::{Connection, jobs};
use crate::usecases::context::Broker;

/// Queues the jobs of uploads, in the transaction that marks them Uploaded, and returns whether there
/// are any. Datasets that a job has written get none.
pub(super) async fn queue_jobs(
    broker: &Broker,
    connection: &mut Connection,
    uploads: &[Upload],
) -> QueryResult<bool> {
    let rules = &broker.rules.processing;
    if rules.is_empty() {
        return Ok(false);
    }
    let mut new = Vec::new();
    for upload in uploads
        .iter()
        .filter(|upload| upload.derived_from.is_none())
    {
        new.extend(rules.jobs_for(upload).into_iter().map(|job| NewJob {
            upload_id: upload.id,
            tenant: upload.tenant.clone(),
            processor: job.processor,
            options: job.options,
        }));
    }
    jobs::insert(connection, &new, broker.clock.now()).await?;
    Ok(!new.is_empty())
}
