//! Why reports are refused, in words for the worker.

use chrono::{DateTime, Utc};

use crate::domain::job_report::Refused;
use crate::domain::refusal::{Code, Refusal};
use crate::domain::upload::Upload;
use crate::store::jobs::LockedJob;

/// Returns the refusal of a report in words.
pub(super) fn refusal_of(
    refused: Refused,
    upload: &Upload,
    locked: Option<&LockedJob>,
    now: DateTime<Utc>,
) -> Refusal {
    match refused {
        Refused::Claimed => {
            let ends = locked.and_then(|locked| locked.job.leased_until);
            let seconds = ends.map_or(1, |ends| (ends - now).num_seconds().max(0) + 1);
            Refusal {
                retry_after: u16::try_from(seconds).ok(),
                ..on_upload(
                    upload,
                    Code::JobClaimed,
                    "Another worker holds the lease of this job.",
                )
            }
        }
        Refused::LeaseLost => lease_lost(upload),
        Refused::LeaseMissing => Refusal::field(
            "/lease",
            "is missing: only the worker that holds the lease can give the job back",
        ),
        Refused::Ended(status) => on_upload(
            upload,
            Code::InvalidStatus,
            format!(
                "The job is {status}. POST /uploads/{}/processing/retry queues failed jobs again.",
                upload.id
            ),
        ),
    }
}

/// The job does not have the lease of the report.
pub(super) fn lease_lost(upload: &Upload) -> Refusal {
    on_upload(
        upload,
        Code::LeaseLost,
        "The job does not have this lease: it was taken over, ended, given back or cancelled. Nothing was changed.",
    )
}

fn on_upload(upload: &Upload, code: Code, detail: impl Into<String>) -> Refusal {
    Refusal {
        upload_id: Some(upload.id),
        status: Some(upload.status),
        ..Refusal::new(code, detail)
    }
}
