//! The attempt of a worker of this program at a job: it renews the lease, and ends the attempt.
//!
//! Workers of other systems use [`report`](super::report) instead. The two differ in what a failure
//! means: another system decides itself that a job has failed, while a failure here that has nothing
//! to do with the dataset leads to another attempt after a back-off, up to five.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use diesel::result::Error as Sql;
use diesel_async::AsyncConnection as _;
use serde_json::Value;
use uuid::Uuid;

use super::backoff::BACKOFF;
use crate::domain::job::{Job, JobOutput, JobStatus, MAX_ATTEMPTS, cut_message};
use crate::domain::status::Transition;
use crate::lifecycle::renewal::Renewed;
use crate::store::jobs::{self, End};
use crate::store::lease::Lease;
use crate::store::{Connection, documents, text_detections};
use crate::usecases::context::Broker;
use crate::usecases::error::Result;

/// How long a job waits at least for other work before it asks again, and at most.
const SHORTEST_WAIT: TimeDelta = TimeDelta::seconds(1);
const LONGEST_WAIT: TimeDelta = TimeDelta::seconds(30);

/// How an attempt ends.
#[derive(Clone, Debug)]
pub enum AttemptEnd {
    /// The outputs exist.
    Succeeded {
        /// The datasets that were written.
        outputs: Vec<JobOutput>,
        /// What the processor found.
        report: Value,
        /// The number of pages of the document whose pages were written; `None` if there is none.
        document_pages: Option<u32>,
    },
    /// The same dataset would fail again.
    Failed {
        /// Why, for the owner of the dataset.
        message: String,
        /// What the processor found, if anything.
        report: Option<Value>,
    },
    /// Another attempt may succeed.
    TryAgain {
        /// Why, for people.
        message: String,
    },
    /// Other work has to end first. The attempt does not count.
    Waiting {
        /// For what, for people.
        message: String,
        /// When to ask again if nothing wakes the job; `None`: after a tenth of the time since the
        /// job was queued first.
        wait: Option<TimeDelta>,
    },
    /// The worker stops. The attempt does not count.
    GivenBack,
}

/// The outcome of ending an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The job has succeeded.
    Succeeded,
    /// The job has failed for good.
    Failed,
    /// The job is queued again, after a failure or a stop.
    Queued,
    /// The job is queued again, until other work has ended.
    Waiting,
    /// The lease was lost, and nothing was changed.
    LeaseLost,
}

impl Ended {
    /// The name in metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Queued => "retried",
            Self::Waiting => "waiting",
            Self::LeaseLost => "lease-lost",
        }
    }
}

impl AttemptEnd {
    /// Why there is no result, if there is none.
    pub fn message(&self) -> Option<&str> {
        match self {
            Self::Failed { message, .. }
            | Self::TryAgain { message }
            | Self::Waiting { message, .. } => Some(message),
            Self::Succeeded { .. } | Self::GivenBack => None,
        }
    }
}

/// Renews the lease of an attempt, which lasts for `length` from now, and records its progress.
pub async fn renew(broker: &Broker, job: &Job, length: Duration, progress: Option<f64>) -> Renewed {
    let Some(token) = job.holder else {
        return Renewed::Lost;
    };
    let lease = Lease::held(&broker.clock, token, length);
    let now = broker.clock.now();
    let renewed = async {
        let mut connection = broker.connection().await?;
        Ok::<_, crate::usecases::Error>(
            jobs::renew(&mut connection, job.id, &lease, progress, None, now).await?,
        )
    };
    match renewed.await {
        Ok(Some(_)) => Renewed::Held,
        Ok(None) => Renewed::Lost,
        Err(error) => {
            log::warn!("job {}: the lease could not be renewed: {error}", job.id);
            Renewed::Failed
        }
    }
}

/// Ends an attempt under its lease, and lets the upload follow.
pub async fn end(broker: &Arc<Broker>, job: &Job, end: AttemptEnd) -> Result<Ended> {
    let (this, job) = (Arc::clone(broker), job.clone());
    let ending = async move { this.end_attempt(&job, end).await };
    broker.tasks.run_to_end(ending).await
}

impl Broker {
    async fn end_attempt(&self, job: &Job, end: AttemptEnd) -> Result<Ended> {
        let now = self.clock.now();
        let Some(token) = job.holder else {
            return Ok(Ended::LeaseLost);
        };
        let is_waiting = matches!(end, AttemptEnd::Waiting { .. });
        let mut connection = self.connection().await?;
        let ended = connection
            .transaction(async |connection| {
                // The upload is locked first, as everywhere.
                let upload = jobs::lock_upload(connection, &job.tenant, job.upload_id).await?;
                let upload = upload.ok_or(Sql::NotFound)?;
                let changed = change(connection, job, token, &end, now).await?;
                let Some(changed) = changed else {
                    return Ok::<_, Sql>(None);
                };
                if let AttemptEnd::Succeeded {
                    document_pages: Some(pages),
                    ..
                } = end
                {
                    documents::publish(connection, job.upload_id, token, pages).await?;
                }
                if changed.status == JobStatus::Succeeded {
                    text_detections::remove(connection, job.id).await?;
                }
                let reason = changed.message.clone().unwrap_or_default();
                let (_, transition) =
                    jobs::follow_jobs(connection, upload, &reason, now, &self.rules.notified)
                        .await?;
                Ok(Some((changed.status, transition)))
            })
            .await?;
        drop(connection);
        let ended = match ended {
            None => Ended::LeaseLost,
            Some((JobStatus::Queued, _)) if is_waiting => Ended::Waiting,
            Some((status, transition)) => {
                self.report_transition(transition);
                match status {
                    JobStatus::Succeeded => Ended::Succeeded,
                    JobStatus::Failed => Ended::Failed,
                    _ => Ended::Queued,
                }
            }
        };
        self.metrics.jobs.ended(ended.as_str());
        Ok(ended)
    }

    fn report_transition(&self, transition: Option<Transition>) {
        if let Some(transition) = transition {
            self.metrics.uploads.transition(transition.to().as_str());
            self.outbox.notify_one();
        }
    }
}

/// How long a job waits for other work before it asks again: a tenth of the time since it was queued
/// first.
fn wait_for_other_work(job: &Job, now: DateTime<Utc>) -> TimeDelta {
    ((now - job.created_at) / 10).clamp(SHORTEST_WAIT, LONGEST_WAIT)
}

/// Changes the job. `None` if it no longer has the lease.
async fn change(
    connection: &mut Connection,
    job: &Job,
    token: Uuid,
    end: &AttemptEnd,
    now: DateTime<Utc>,
) -> diesel::QueryResult<Option<Job>> {
    let failed = |message: &str, report: Option<Value>| End {
        status: JobStatus::Failed,
        message: Some(cut_message(message)),
        outputs: Vec::new(),
        report,
    };
    let end = match end {
        AttemptEnd::Succeeded {
            outputs, report, ..
        } => End {
            status: JobStatus::Succeeded,
            message: None,
            outputs: outputs.clone(),
            report: Some(report.clone()),
        },
        AttemptEnd::Failed { message, report } => failed(message, report.clone()),
        AttemptEnd::TryAgain { message } if job.attempts >= MAX_ATTEMPTS => failed(message, None),
        AttemptEnd::TryAgain { message } => {
            let delay = TimeDelta::from_std(BACKOFF.delay(job.attempts)).unwrap_or_default();
            let message = cut_message(message);
            let due_at = now + delay;
            let message = Some(&*message);
            return jobs::give_back(connection, job.id, token, true, message, due_at, now).await;
        }
        AttemptEnd::Waiting { message, wait } => {
            let message = cut_message(message);
            let due_at = now + wait.unwrap_or_else(|| wait_for_other_work(job, now));
            let message = Some(&*message);
            return jobs::give_back(connection, job.id, token, false, message, due_at, now).await;
        }
        AttemptEnd::GivenBack => {
            return jobs::give_back(connection, job.id, token, false, None, now, now).await;
        }
    };
    jobs::end(connection, job.id, token, &end, now).await
}
