//! The transaction of a report: locks the upload and its job, decides, and changes both.

use chrono::{DateTime, Utc};
use diesel::result::Error as Sql;
use serde_json::json;
use uuid::Uuid;

use super::report_refusals::{lease_lost, refusal_of};
use crate::domain::job::{Job, JobOutput, JobStatus, NewJob};
use crate::domain::job_report::{Reported, Step, decide};
use crate::domain::notified_types::NotifiedTypes;
use crate::domain::refusal::Refusal;
use crate::domain::status::Transition;
use crate::domain::upload::Upload;
use crate::store::jobs::{self, End};
use crate::store::lease::Lease;
use crate::store::{Connection, Error as StoreError};

/// Why the upload failed if the worker gave no reason.
const NO_REASON: &str = "A processor reported a failure without a reason.";
/// Why the upload failed if a job was started too often.
const GIVEN_UP: &str = "The job was started too often without a report.";

/// The job after a report, and its upload.
#[derive(Clone, Debug)]
pub struct Reports {
    /// The upload, which has followed the job.
    pub upload: Upload,
    /// The job.
    pub job: Job,
    /// Whether the caller holds the lease of the job.
    pub holds_lease: bool,
}

/// Why the transaction of a report is rolled back.
pub(super) enum Failed {
    Refused(Box<Refusal>),
    Query(StoreError),
}

impl From<StoreError> for Failed {
    fn from(error: StoreError) -> Self {
        Self::Query(error)
    }
}

impl From<Refusal> for Failed {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(Box::new(refusal))
    }
}

/// A report whose fields are valid and whose outputs exist.
#[derive(Clone, Debug)]
pub(super) struct ValidReport {
    /// The name of the processor.
    pub(super) processor: String,
    /// What is reported.
    pub(super) reported: Reported,
    /// The token of the lease, if the worker has one.
    pub(super) token: Option<Uuid>,
    /// That lease, or the one that a claim takes.
    pub(super) lease: Lease,
    /// The fraction that is done.
    pub(super) progress: Option<f64>,
    /// A message for people.
    pub(super) message: Option<String>,
    /// The datasets that the job has written.
    pub(super) outputs: Vec<JobOutput>,
    /// The types of events that are to be published.
    pub(super) notified: NotifiedTypes,
    /// The time of the report.
    pub(super) now: DateTime<Utc>,
}

/// Applies a report, and returns the job, its upload and the transitions of the upload.
pub(super) async fn apply(
    connection: &mut Connection,
    tenant: &str,
    upload_id: Uuid,
    report: &ValidReport,
) -> Result<(Reports, Vec<Transition>), Failed> {
    let ValidReport { lease, now, .. } = report;
    let upload = jobs::lock_upload(connection, tenant, upload_id).await?;
    let upload = upload.ok_or_else(|| Refusal::no_upload(upload_id))?;
    let locked = jobs::lock_job(connection, upload_id, &report.processor, lease).await?;
    let is_leased = locked.as_ref().is_some_and(|locked| locked.is_leased);
    let job = locked.as_ref().map(|locked| &locked.job);
    let step = decide(job, is_leased, report.reported, report.token)
        .map_err(|refused| refusal_of(refused, &upload, locked.as_ref(), *now))?;
    let mut transitions = Vec::new();
    let (upload, job) = match (step, locked.map(|locked| locked.job)) {
        (Step::Claim, job) => {
            let (upload, job) = claim(connection, upload, job, report, &mut transitions).await?;
            match report.reported.end() {
                None => (upload, job),
                Some(status) => {
                    let token = job.holder.unwrap_or_default();
                    end(
                        connection,
                        upload,
                        job.id,
                        token,
                        status,
                        report,
                        &mut transitions,
                    )
                    .await?
                }
            }
        }
        (_, None) => return Err(lease_lost(&upload).into()),
        (Step::Nothing, Some(job)) => (upload, job),
        (Step::Renew(_), Some(job)) => {
            let message = report.message.as_deref();
            let renewed =
                jobs::renew(connection, job.id, lease, report.progress, message, *now).await?;
            let job = renewed.ok_or_else(|| lease_lost(&upload))?;
            (upload, job)
        }
        (Step::GiveBack(token), Some(job)) => {
            let message = report.message.as_deref();
            let given =
                jobs::give_back(connection, job.id, token, false, message, *now, *now).await?;
            let job = given.ok_or_else(|| lease_lost(&upload))?;
            (upload, job)
        }
        (Step::End(token), Some(job)) => {
            let status = report.reported.end().unwrap_or(JobStatus::Failed);
            end(
                connection,
                upload,
                job.id,
                token,
                status,
                report,
                &mut transitions,
            )
            .await?
        }
        (Step::GiveUp, Some(job)) => {
            let token = job.holder.unwrap_or_default();
            let failed = ValidReport {
                message: Some(GIVEN_UP.to_owned()),
                outputs: Vec::new(),
                ..report.clone()
            };
            let status = JobStatus::Failed;
            end(
                connection,
                upload,
                job.id,
                token,
                status,
                &failed,
                &mut transitions,
            )
            .await?
        }
    };
    let holds_lease = job.status == JobStatus::Running;
    let reports = Reports {
        upload,
        job,
        holds_lease,
    };
    Ok((reports, transitions))
}

/// Leases the job, which is created if it does not exist.
async fn claim(
    connection: &mut Connection,
    upload: Upload,
    job: Option<Job>,
    report: &ValidReport,
    transitions: &mut Vec<Transition>,
) -> Result<(Upload, Job), Failed> {
    if !upload.status.is_acknowledged() {
        let wanted = Transition::StartProcessing;
        return Err(Refusal::wrong_status(upload.id, upload.status, wanted).into());
    }
    let ValidReport { lease, now, .. } = report;
    if job.is_none() {
        let new = NewJob {
            upload_id: upload.id,
            tenant: upload.tenant.clone(),
            processor: report.processor.clone(),
            options: json!({}),
        };
        jobs::insert(connection, &[new], *now).await?;
    }
    let locked = jobs::lock_job(connection, upload.id, &report.processor, lease).await?;
    let id = locked.map(|locked| locked.job.id).ok_or(Sql::NotFound)?;
    let job = jobs::claim_one(connection, id, lease, *now).await?;
    let job = job.ok_or_else(|| lease_lost(&upload))?;
    let (upload, transition) =
        jobs::follow_jobs(connection, upload, NO_REASON, *now, &report.notified).await?;
    transitions.extend(transition);
    if report.reported.end().is_some() || (report.progress.is_none() && report.message.is_none()) {
        return Ok((upload, job));
    }
    let held = Lease::held(
        lease.clock(),
        job.holder.unwrap_or_default(),
        lease.length(),
    );
    let message = report.message.as_deref();
    let renewed = jobs::renew(connection, job.id, &held, report.progress, message, *now).await?;
    Ok((upload, renewed.unwrap_or(job)))
}

async fn end(
    connection: &mut Connection,
    upload: Upload,
    id: Uuid,
    token: Uuid,
    status: JobStatus,
    report: &ValidReport,
    transitions: &mut Vec<Transition>,
) -> Result<(Upload, Job), Failed> {
    let end = End {
        status,
        message: report.message.clone(),
        outputs: report.outputs.clone(),
        report: None,
    };
    let ended = jobs::end(connection, id, token, &end, report.now).await?;
    let job = ended.ok_or_else(|| lease_lost(&upload))?;
    let reason = job.message.as_deref().unwrap_or(NO_REASON);
    let (upload, transition) =
        jobs::follow_jobs(connection, upload, reason, report.now, &report.notified).await?;
    transitions.extend(transition);
    Ok((upload, job))
}
