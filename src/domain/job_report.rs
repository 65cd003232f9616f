//! What a report of a worker does to a job: the rules of `POST /uploads/{id}/processing`.

use std::str::FromStr;

use uuid::Uuid;

use super::job::{Job, JobStatus, MAX_ATTEMPTS};

/// What a worker reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reported {
    /// It starts, or it still works.
    Processing,
    /// It is done.
    Processed,
    /// It has failed for good.
    Error,
    /// It gives the job back.
    Queued,
}

impl Reported {
    /// Every report.
    pub const ALL: [Self; 4] = [Self::Processing, Self::Processed, Self::Error, Self::Queued];

    /// The name in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Processing => "Processing",
            Self::Processed => "Processed",
            Self::Error => "Error",
            Self::Queued => "Queued",
        }
    }

    /// The status that a job ends with, if the report ends it.
    pub const fn end(self) -> Option<JobStatus> {
        match self {
            Self::Processed => Some(JobStatus::Succeeded),
            Self::Error => Some(JobStatus::Failed),
            Self::Processing | Self::Queued => None,
        }
    }
}

/// A name that is not one of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownReport;

impl FromStr for Reported {
    type Err = UnknownReport;

    fn from_str(name: &str) -> Result<Self, UnknownReport> {
        Self::ALL
            .into_iter()
            .find(|reported| reported.as_str() == name)
            .ok_or(UnknownReport)
    }
}

/// What to do with a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Create the job if there is none, and lease it. If the report ends the job, end it at once.
    Claim,
    /// Renew the lease with this token.
    Renew(Uuid),
    /// End the job under the lease with this token.
    End(Uuid),
    /// Give the job back under the lease with this token.
    GiveBack(Uuid),
    /// Fail the job: it was started too often, and its last worker did not report.
    GiveUp,
    /// Nothing: this is the repetition of the report that ended the job.
    Nothing,
}

/// Why a report is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// Another worker holds a lease.
    Claimed,
    /// The job does not have the lease of the report.
    LeaseLost,
    /// The job has ended.
    Ended(JobStatus),
    /// A job can only be given back with its lease.
    LeaseMissing,
}

/// Decides what a report does to `job`, whose lease has not ended if `is_leased`. `lease` is the token
/// of the report.
///
/// # Errors
/// The report is refused, and nothing changes.
pub fn decide(
    job: Option<&Job>,
    is_leased: bool,
    reported: Reported,
    lease: Option<Uuid>,
) -> Result<Step, Refused> {
    match (lease, job) {
        (Some(token), Some(job)) if job.holder == Some(token) => with_lease(job, reported, token),
        (Some(_), _) => Err(Refused::LeaseLost),
        (None, _) if reported == Reported::Queued => Err(Refused::LeaseMissing),
        (None, None) => Ok(Step::Claim),
        (None, Some(job)) => without_lease(job, is_leased, reported),
    }
}

fn with_lease(job: &Job, reported: Reported, token: Uuid) -> Result<Step, Refused> {
    match (job.status, reported) {
        (JobStatus::Running, Reported::Processing) => Ok(Step::Renew(token)),
        (JobStatus::Running, Reported::Queued) => Ok(Step::GiveBack(token)),
        (JobStatus::Running, Reported::Processed | Reported::Error) => Ok(Step::End(token)),
        // The answer to the first report was lost.
        (ended, _) if reported.end() == Some(ended) => Ok(Step::Nothing),
        _ => Err(Refused::LeaseLost),
    }
}

fn without_lease(job: &Job, is_leased: bool, reported: Reported) -> Result<Step, Refused> {
    match job.status {
        JobStatus::Queued => Ok(Step::Claim),
        JobStatus::Running if is_leased => Err(Refused::Claimed),
        JobStatus::Running if job.attempts >= MAX_ATTEMPTS => Ok(Step::GiveUp),
        JobStatus::Running => Ok(Step::Claim),
        ended if reported.end() == Some(ended) => Ok(Step::Nothing),
        ended => Err(Refused::Ended(ended)),
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use serde_json::json;

    use super::*;

    fn job(status: JobStatus, holder: Option<Uuid>) -> Job {
        let at = DateTime::UNIX_EPOCH;
        Job {
            id: Uuid::nil(),
            upload_id: Uuid::nil(),
            tenant: "acme".to_owned(),
            processor: "default".to_owned(),
            options: json!({}),
            status,
            attempts: 1,
            progress: None,
            message: None,
            outputs: Vec::new(),
            report: None,
            due_at: at,
            holder,
            leased_until: None,
            created_at: at,
            updated_at: at,
            started_at: None,
            ended_at: None,
        }
    }

    #[test]
    fn report_without_lease_claims_what_is_free() {
        for reported in [Reported::Processing, Reported::Processed, Reported::Error] {
            assert_eq!(decide(None, false, reported, None), Ok(Step::Claim));
            let queued = job(JobStatus::Queued, None);
            assert_eq!(
                decide(Some(&queued), false, reported, None),
                Ok(Step::Claim)
            );
            let running = job(JobStatus::Running, Some(Uuid::max()));
            let claimed = decide(Some(&running), true, reported, None);
            assert_eq!(claimed, Err(Refused::Claimed));
            assert_eq!(
                decide(Some(&running), false, reported, None),
                Ok(Step::Claim)
            );
            let spent = Job {
                attempts: MAX_ATTEMPTS,
                ..running
            };
            assert_eq!(
                decide(Some(&spent), false, reported, None),
                Ok(Step::GiveUp)
            );
        }
        let given_back = decide(None, false, Reported::Queued, None);
        assert_eq!(given_back, Err(Refused::LeaseMissing));
    }

    #[test]
    fn report_with_current_lease_is_obeyed_even_after_its_end() {
        let token = Uuid::max();
        let running = job(JobStatus::Running, Some(token));
        for (reported, step) in [
            (Reported::Processing, Step::Renew(token)),
            (Reported::Processed, Step::End(token)),
            (Reported::Error, Step::End(token)),
            (Reported::Queued, Step::GiveBack(token)),
        ] {
            assert_eq!(
                decide(Some(&running), false, reported, Some(token)),
                Ok(step)
            );
            let other = decide(Some(&running), true, reported, Some(Uuid::nil()));
            assert_eq!(other, Err(Refused::LeaseLost));
            let none = decide(None, false, reported, Some(token));
            assert_eq!(none, Err(Refused::LeaseLost));
        }
    }

    #[test]
    fn repeated_end_is_accepted_and_a_different_one_refused() {
        let token = Uuid::max();
        let done = job(JobStatus::Succeeded, Some(token));
        let repeated = decide(Some(&done), false, Reported::Processed, Some(token));
        assert_eq!(repeated, Ok(Step::Nothing));
        let simple = decide(Some(&done), false, Reported::Processed, None);
        assert_eq!(simple, Ok(Step::Nothing));
        let other = decide(Some(&done), false, Reported::Error, Some(token));
        assert_eq!(other, Err(Refused::LeaseLost));
        let other = decide(Some(&done), false, Reported::Error, None);
        assert_eq!(other, Err(Refused::Ended(JobStatus::Succeeded)));
        let cancelled = job(JobStatus::Cancelled, None);
        let late = decide(Some(&cancelled), false, Reported::Processed, Some(token));
        assert_eq!(late, Err(Refused::LeaseLost));
    }
}
