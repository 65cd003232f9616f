//! A report of a worker: it claims a job, renews its lease, ends it, or gives it back.
//!
//! The rules are in [`domain::job_report`](crate::domain::job_report). The outputs are read from S3
//! first; then one transaction locks the upload and the job, decides, and changes both.

use std::sync::Arc;
use std::time::Duration;

use diesel_async::AsyncConnection as _;
use uuid::Uuid;

pub use super::apply_report::Reports;
use super::apply_report::{Failed, ValidReport, apply};
pub use super::outputs::NewOutput;
use super::{check_lease, check_processor, outputs};
use crate::domain::job::{JobStatus, cut_message};
use crate::domain::job_report::Reported;
use crate::domain::principal::Principal;
use crate::store::lease::Lease;
use crate::usecases::context::Broker;
use crate::usecases::error::{Error, Result};
use crate::usecases::faults::Faults;
use crate::usecases::uploads::find;

/// A report, as it was sent.
#[derive(Clone, Debug)]
pub struct Report {
    /// The name of the processor.
    pub processor: String,
    /// What is reported.
    pub reported: Reported,
    /// The token of the lease, if the worker has one.
    pub lease: Option<Uuid>,
    /// The length of the lease from now, in seconds.
    pub lease_seconds: Option<u32>,
    /// The fraction that is done.
    pub progress: Option<f64>,
    /// A message for people.
    pub message: Option<String>,
    /// The datasets that the job has written.
    pub outputs: Vec<NewOutput>,
}

/// Applies the report of a worker to its job of the upload, and returns both.
pub async fn report(
    broker: &Arc<Broker>,
    principal: &Principal,
    upload_id: Uuid,
    report: Report,
) -> Result<Reports> {
    let mut faults = Faults::default();
    check_processor(&mut faults, &report.processor);
    let length = check_lease(&mut faults, report.lease_seconds);
    if report
        .progress
        .is_some_and(|progress| !(0.0..=1.0).contains(&progress))
    {
        faults.add("/progress", "must be from 0 to 1");
    }
    if report.reported != Reported::Processed && !report.outputs.is_empty() {
        faults.add("/outputs", "can only be reported with the status Processed");
    }
    let paths = outputs::validate(&mut faults, principal, &report.outputs);
    faults.into_result()?;
    let mut connection = broker.connection().await?;
    find::by_id(&mut connection, principal, upload_id).await?;
    drop(connection);
    let found = outputs::find(broker, principal, &report.outputs, &paths).await?;
    let valid = ValidReport {
        lease: lease_of(broker, &report, length),
        processor: report.processor,
        reported: report.reported,
        token: report.lease,
        progress: report.progress,
        message: report.message.as_deref().map(cut_message),
        outputs: found,
        notified: broker.rules.notified.clone(),
        now: broker.clock.now(),
    };
    let (this, tenant) = (Arc::clone(broker), principal.tenant.clone());
    let applied = async move { this.apply_report(&tenant, upload_id, &valid).await };
    broker.tasks.run_to_end(applied).await
}

fn lease_of(broker: &Broker, report: &Report, length: Duration) -> Lease {
    let token = report.lease.unwrap_or_else(Uuid::new_v4);
    Lease::held(&broker.clock, token, length)
}

impl Broker {
    async fn apply_report(
        &self,
        tenant: &str,
        upload_id: Uuid,
        valid: &ValidReport,
    ) -> Result<Reports> {
        let permit = self.connections.permit(tenant).await?;
        let mut connection = self.connection().await?;
        let applied = connection
            .transaction::<_, Failed, _>(async |connection| {
                apply(connection, tenant, upload_id, valid).await
            })
            .await;
        drop((connection, permit));
        let (reports, transitions) = match applied {
            Ok(applied) => applied,
            Err(Failed::Refused(refusal)) => return Err(Error::Refused(refusal)),
            Err(Failed::Query(cause)) => return Err(cause.into()),
        };
        for transition in &transitions {
            self.metrics.uploads.transition(transition.to().as_str());
        }
        if !transitions.is_empty() {
            self.outbox.notify_one();
        }
        if reports.job.ended_at == Some(valid.now) {
            self.metrics.jobs.ended(outcome_of(reports.job.status));
        }
        if reports.job.status == JobStatus::Queued {
            self.jobs_queued.notify_waiters();
        }
        Ok(reports)
    }
}

fn outcome_of(status: JobStatus) -> &'static str {
    match status {
        JobStatus::Succeeded => "succeeded",
        JobStatus::Failed => "failed",
        _ => "cancelled",
    }
}
