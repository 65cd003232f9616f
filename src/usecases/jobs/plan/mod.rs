//! Prepares the merge of the results that a processing plan names.
//!
//! The dataset of a merge job is a [plan](ProcessingPlan). The first attempt queues a job of the plan's
//! processor for each input that has none, so that any number of workers share them. As long as some
//! have not ended, the merge job is given back, which does not count as an attempt. Then their results
//! are merged.
//!
//! A plan acts for its tenant, as a rule does: it can name every dataset of the tenant, and nothing of
//! another one.
//!
//! | Fault | What happens |
//! |---|---|
//! | the worker dies, before or after the jobs are queued | another attempt finds the same jobs |
//! | two plans name the same dataset with the same options | its job runs once, and both use the result |
//! | an input was aggregated with other options, or is itself a result | the merge fails, and names the input |
//! | an input was replaced or deleted since the plan was written | the merge fails, and names the input |
//! | the job of an input fails, or another processor has failed on it before | the merge fails with the reason; after retries of both, it runs again |
//! | a result was replaced or deleted | the merge fails, and names the input |

mod read;
mod results;

use std::collections::HashMap;

use diesel_async::AsyncConnection as _;
use serde_json::Value;
use uuid::Uuid;

use crate::domain::job::JobStatus;
use crate::domain::processing_plan::PlannedInput;
use crate::domain::status::Status;
use crate::domain::upload::Upload;
use crate::store::jobs::{self, PlannedJob};
use crate::store::uploads;
use crate::usecases::context::Broker;
use crate::usecases::error::Result;

/// What can be done about a plan.
#[derive(Clone, Debug)]
pub enum Prepared {
    /// All results exist.
    Ready {
        /// The options of the plan.
        options: Value,
        /// The uploads of the results, in the order of the plan.
        results: Vec<Upload>,
        /// What the jobs of the inputs found, in total.
        found: Value,
    },
    /// Some jobs of inputs have not ended.
    Waiting {
        /// How many have, for people.
        message: String,
    },
    /// The plan cannot be carried out.
    Unusable {
        /// Why, for the owner of the plan.
        message: String,
    },
}

impl Prepared {
    fn unusable(message: String) -> Self {
        Self::Unusable { message }
    }
}

/// Reads the plan that is the dataset of `upload`, queues the jobs of `processor` that are missing, and
/// returns the results once all of them have succeeded.
///
/// # Errors
/// A service does not answer.
pub async fn prepare(broker: &Broker, upload: &Upload, processor: &str) -> Result<Prepared> {
    let plan = match read::read_plan(broker, upload, processor).await? {
        Ok(plan) => plan,
        Err(message) => return Ok(Prepared::unusable(message)),
    };
    let ids: Vec<Uuid> = plan.inputs.iter().map(|input| input.upload_id).collect();
    let tenant = &*upload.tenant;
    let mut connection = broker.connection().await?;
    let inputs = uploads::find_by_ids(&mut connection, tenant, &ids).await?;
    let inputs: HashMap<Uuid, Upload> = (inputs.into_iter())
        .map(|upload| (upload.id, upload))
        .collect();
    let options = Value::Object(plan.options.clone());
    let jobs = jobs::find_planned_jobs(&mut connection, tenant, &ids, processor, &options).await?;
    let jobs: HashMap<Uuid, PlannedJob> =
        jobs.into_iter().map(|job| (job.upload_id, job)).collect();
    let unusable =
        (plan.inputs.iter()).find_map(|input| reason_against(input, &inputs, &jobs, processor));
    if let Some(message) = unusable {
        return Ok(Prepared::unusable(message));
    }
    let missing: Vec<Uuid> = (ids.iter().copied())
        .filter(|id| !jobs.contains_key(id))
        .collect();
    if !missing.is_empty() {
        let now = broker.clock.now();
        let queue = connection.transaction(async |connection| {
            jobs::insert_for_current_uploads(connection, tenant, &missing, processor, &options, now)
                .await
        });
        queue.await?;
        broker.jobs_queued.notify_waiters();
    }
    let done = jobs
        .values()
        .filter(|job| job.status == JobStatus::Succeeded);
    let (done, all) = (done.count(), ids.len());
    if done < all {
        let message = format!("{done} of {all} inputs are processed.");
        return Ok(Prepared::Waiting { message });
    }
    match results::find_results(&mut connection, tenant, &plan, &jobs).await? {
        Ok(results) => Ok(Prepared::Ready {
            options,
            results,
            found: results::sum_of_reports(&jobs),
        }),
        Err(message) => Ok(Prepared::unusable(message)),
    }
}

/// Returns why an input cannot be merged, if there is a reason.
fn reason_against(
    input: &PlannedInput,
    uploads: &HashMap<Uuid, Upload>,
    jobs: &HashMap<Uuid, PlannedJob>,
    processor: &str,
) -> Option<String> {
    let path = &input.path;
    let Some(upload) = uploads.get(&input.upload_id) else {
        let id = input.upload_id;
        return Some(format!("There is no upload {id} for {path}."));
    };
    let etag = upload.object.as_ref().map(|object| &object.etag);
    // After a job has failed, the dataset is still at its path.
    let stands = upload.status.is_acknowledged() || upload.status == Status::Error;
    if !stands || etag != Some(&input.etag) {
        return Some(format!(
            "{path} was replaced or deleted after the plan was written."
        ));
    }
    if upload.derived_from.is_some() {
        return Some(format!("{path} is itself a result, which has no jobs."));
    }
    match jobs.get(&input.upload_id) {
        Some(job) => reason_against_job(job, path, processor),
        None if upload.status == Status::Error => Some(format!(
            "The processing of {path} has failed before {processor} was queued. Retry it first."
        )),
        None => None,
    }
}

fn reason_against_job(job: &PlannedJob, path: &str, processor: &str) -> Option<String> {
    if !job.has_options {
        return Some(format!(
            "{path} has a job of {processor} with other options than the plan."
        ));
    }
    match job.status {
        JobStatus::Failed => {
            let reason = job.message.as_deref().unwrap_or_default();
            Some(format!("The job of {processor} on {path} failed: {reason}"))
        }
        JobStatus::Cancelled => Some(format!("The job of {processor} on {path} was cancelled.")),
        JobStatus::Queued | JobStatus::Running | JobStatus::Succeeded => None,
    }
}
