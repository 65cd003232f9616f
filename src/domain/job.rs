//! Jobs: the work of one processor on one upload, and how an upload follows its jobs.
//!
//! ```text
//!   Queued ──claim──▶ Running ──▶ Succeeded
//!     ▲                  │  └───▶ Failed ──retry──▶ Queued
//!     └──give back───────┘
//!        or a lapsed lease
//!   Queued, Running ──the upload is superseded or deleted──▶ Cancelled
//! ```
//!
//! A job has no transitions of its own in SQL that these rules do not name: `store::jobs` executes
//! them as compare-and-set on the status and the token of the lease.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::status::{Status, Transition};

/// How often a job is started before it fails for good. What kills its worker at each attempt would
/// otherwise be tried for ever.
pub const MAX_ATTEMPTS: u32 = 5;
/// The largest number of outputs of a job.
pub const MAX_OUTPUTS: usize = 100;
/// The code of the failure of an upload whose processing failed.
pub const PROCESSING_FAILED: &str = "processing-failed";
/// The largest number of bytes of a processor's name.
const MAX_PROCESSOR_BYTES: usize = 64;

/// The status of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum JobStatus {
    /// It waits for a worker.
    Queued,
    /// A worker has leased it.
    Running,
    /// It is done, and its outputs exist.
    Succeeded,
    /// It failed for good. It runs again only after a retry.
    Failed,
    /// Its upload was superseded or deleted.
    Cancelled,
}

impl JobStatus {
    /// Every status, in the order of the lifecycle.
    pub const ALL: [Self; 5] = [
        Self::Queued,
        Self::Running,
        Self::Succeeded,
        Self::Failed,
        Self::Cancelled,
    ];

    /// The name in JSON and in Postgres.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "Queued",
            Self::Running => "Running",
            Self::Succeeded => "Succeeded",
            Self::Failed => "Failed",
            Self::Cancelled => "Cancelled",
        }
    }

    /// Whether the job still has to run, or runs.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Queued | Self::Running)
    }
}

impl fmt::Display for JobStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A name of a job status that does not exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownJobStatus;

impl FromStr for JobStatus {
    type Err = UnknownJobStatus;

    fn from_str(name: &str) -> Result<Self, UnknownJobStatus> {
        Self::ALL
            .into_iter()
            .find(|status| status.as_str() == name)
            .ok_or(UnknownJobStatus)
    }
}

/// A dataset that a job has written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobOutput {
    /// What it is, such as `aggregate`.
    pub kind: String,
    /// The path of the dataset.
    pub path: String,
    /// Its size in bytes when the job ended.
    pub size: u64,
    /// Its ETag when the job ended, with the quotes.
    pub etag: String,
}

/// The lease of a running job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JobLease {
    /// The token, which only the worker that holds the lease knows.
    pub token: Uuid,
    /// When the lease ends, unless it is renewed.
    pub expires_at: DateTime<Utc>,
}

/// A row of the table `jobs`.
#[derive(Clone, Debug, PartialEq)]
pub struct Job {
    /// UUIDv7.
    pub id: Uuid,
    /// The upload whose dataset is processed.
    pub upload_id: Uuid,
    /// The tenant of the upload.
    pub tenant: String,
    /// The name of the processor.
    pub processor: String,
    /// The options of the rule that queued the job; an empty object if there is none.
    pub options: Value,
    /// The status in the lifecycle.
    pub status: JobStatus,
    /// How often the job was started.
    pub attempts: u32,
    /// The fraction that is done, as the worker reported it: 0 to 1.
    pub progress: Option<f64>,
    /// What the worker reported, or why the job failed.
    pub message: Option<String>,
    /// The datasets that the job has written.
    pub outputs: Vec<JobOutput>,
    /// What the processor found, such as the number of rows.
    pub report: Option<Value>,
    /// When the job may start.
    pub due_at: DateTime<Utc>,
    /// The token of the current lease, or of the last one if the job has ended.
    pub holder: Option<Uuid>,
    /// When the current lease ends.
    pub leased_until: Option<DateTime<Utc>>,
    /// When the job was queued first.
    pub created_at: DateTime<Utc>,
    /// When the row last changed.
    pub updated_at: DateTime<Utc>,
    /// When the last attempt started.
    pub started_at: Option<DateTime<Utc>>,
    /// When the job ended.
    pub ended_at: Option<DateTime<Utc>>,
}

impl Job {
    /// The lease, while the job runs.
    pub fn lease(&self) -> Option<JobLease> {
        let (token, expires_at) = self.holder.zip(self.leased_until)?;
        Some(JobLease { token, expires_at })
    }
}

/// A job to be queued.
#[derive(Clone, Debug, PartialEq)]
pub struct NewJob {
    /// The upload whose dataset is to be processed.
    pub upload_id: Uuid,
    /// The tenant of the upload.
    pub tenant: String,
    /// The name of the processor.
    pub processor: String,
    /// The options for the processor: a JSON object.
    pub options: Value,
}

/// Whether `name` may be the name of a processor: 1 to 64 of `a-z`, `0-9` and `-`, which does not
/// begin with `-`.
pub fn is_processor_name(name: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !name.is_empty()
        && name.len() <= MAX_PROCESSOR_BYTES
        && !name.starts_with('-')
        && name.bytes().all(is_allowed)
}

/// The transition that an upload in `status` makes after one of its jobs has changed. `jobs` are the
/// statuses of all its jobs.
///
/// The upload is Processing once a job runs, Processed when all have succeeded, and Error when one
/// has failed for good and none is left to run.
pub fn following_transition(status: Status, jobs: &[JobStatus]) -> Option<Transition> {
    let any = |wanted: JobStatus| jobs.contains(&wanted);
    match status {
        Status::Uploaded | Status::Processed if any(JobStatus::Running) => {
            Some(Transition::StartProcessing)
        }
        Status::Processing if jobs.iter().any(|job| job.is_open()) => None,
        Status::Processing if any(JobStatus::Failed) => Some(Transition::FailProcessing),
        Status::Processing if any(JobStatus::Succeeded) => Some(Transition::FinishProcessing),
        Status::Error if any(JobStatus::Queued) => Some(Transition::RetryProcessing),
        _ => None,
    }
}

/// Cuts a message of a worker to what the column should hold.
pub fn cut_message(message: &str) -> String {
    const MAX_CHARS: usize = 2_000;
    let printable = message.chars().map(|c| match c.is_control() && c != '\n' {
        true => ' ',
        false => c,
    });
    printable.take(MAX_CHARS).collect()
}

/// Shortest and longest lease that a worker may ask for.
pub const LEASE_BOUNDS: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(3_600));

#[cfg(test)]
mod tests {
    use super::*;
    use JobStatus::{Cancelled, Failed, Queued, Running, Succeeded};

    #[test]
    fn upload_follows_its_jobs() {
        let follows = following_transition;
        assert_eq!(follows(Status::Uploaded, &[Queued]), None);
        assert_eq!(
            follows(Status::Uploaded, &[Queued, Running]),
            Some(Transition::StartProcessing)
        );
        assert_eq!(follows(Status::Processing, &[Running, Failed]), None);
        assert_eq!(follows(Status::Processing, &[Queued, Succeeded]), None);
        assert_eq!(
            follows(Status::Processing, &[Succeeded, Failed]),
            Some(Transition::FailProcessing)
        );
        assert_eq!(
            follows(Status::Processing, &[Succeeded, Succeeded]),
            Some(Transition::FinishProcessing)
        );
        assert_eq!(
            follows(Status::Processed, &[Succeeded, Running]),
            Some(Transition::StartProcessing)
        );
        assert_eq!(
            follows(Status::Error, &[Queued, Succeeded]),
            Some(Transition::RetryProcessing)
        );
        assert_eq!(follows(Status::Superseded, &[Cancelled]), None);
    }

    #[test]
    fn every_following_transition_starts_from_the_status() {
        for status in Status::ALL {
            for jobs in [[Queued, Failed], [Running, Succeeded], [Failed, Cancelled]] {
                if let Some(transition) = following_transition(status, &jobs) {
                    assert!(transition.allows(status), "{status} {jobs:?}");
                }
            }
        }
    }

    #[test]
    fn processor_names_are_restricted() {
        assert!(is_processor_name("csv-aggregate"));
        for bad in ["", "-a", "A", "a b", "a/b", &"a".repeat(65)] {
            assert!(!is_processor_name(bad), "{bad}");
        }
    }
}
