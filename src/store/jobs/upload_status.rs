//! Lets uploads follow their jobs, in the transaction that changes the jobs.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::domain::job::{JobStatus, PROCESSING_FAILED, following_transition};
use crate::domain::notified_types::NotifiedTypes;
use crate::domain::status::Transition;
use crate::domain::upload::{Failure, Upload};
use crate::store::schema::jobs;
use crate::store::uploads::{self, Changes};
use crate::store::{Connection, Result};

/// Makes the transition of an upload that follows from the statuses of its jobs, if there is one, and
/// returns the upload after it. `upload` is the row as this transaction has locked and read it, and
/// `reason` says why the processing failed, if it did. The event is to be published if its type is one
/// of `notified`.
pub async fn follow_jobs(
    connection: &mut Connection,
    upload: Upload,
    reason: &str,
    at: DateTime<Utc>,
    notified: &NotifiedTypes,
) -> Result<(Upload, Option<Transition>)> {
    let statuses: Vec<String> = jobs::table
        .filter(jobs::upload_id.eq(upload.id))
        .select(jobs::status)
        .load(connection)
        .await?;
    let statuses: Vec<JobStatus> = (statuses.iter())
        .filter_map(|status| status.parse().ok())
        .collect();
    let Some(transition) = following_transition(upload.status, &statuses) else {
        return Ok((upload, None));
    };
    let changes = match transition {
        Transition::FailProcessing => Changes::processing_failed(Failure {
            code: PROCESSING_FAILED.to_owned(),
            detail: reason.to_owned(),
        }),
        _ => Changes::without_failure(),
    };
    let changed = uploads::transition(
        connection, upload.id, None, transition, at, changes, notified,
    )
    .await?;
    Ok(match changed {
        Some(changed) => (changed, Some(transition)),
        None => (upload, None),
    })
}

/// Marks those of the uploads Processing that are not yet. The caller has locked their rows.
pub(super) async fn start_processing(
    connection: &mut Connection,
    ids: &[Uuid],
    at: DateTime<Utc>,
    notified: &NotifiedTypes,
) -> Result<()> {
    let transition = Transition::StartProcessing;
    let changes = Changes::without_failure();
    uploads::transition_many(connection, ids, None, transition, at, changes, notified).await?;
    Ok(())
}
