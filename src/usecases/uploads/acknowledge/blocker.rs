//! Finds what prevents the completion of parts. This is checked right before S3 is asked to
//! complete them.
//!
//! S3 evaluates the condition of a completion, but not every store does: some ignore
//! `If-None-Match` at CompleteMultipartUpload and replace the object. The row of the path and the
//! object are therefore always read as well, even if conditional writes are on.

use super::refusals::{dataset_exists, foreign_object_exists, version_changed};
use crate::domain::object::same_etag;
use crate::domain::refusal::Refusal;
use crate::domain::upload::{Upload, WriteRule};
use crate::store::uploads;
use crate::usecases::context::Broker;
use crate::usecases::error::Result;

/// Why the parts must not be completed.
pub(super) enum Blocker {
    /// They have already been completed: the upload's own object is at the key.
    AlreadyCompleted,
    /// They may never be completed.
    Forbidden(Refusal),
}

impl Broker {
    /// Returns what prevents the completion. An upload that may overwrite any object has no
    /// blocker.
    pub(super) async fn find_blocker(&self, upload: &Upload) -> Result<Option<Blocker>> {
        if upload.write == WriteRule::Overwrite {
            return Ok(None);
        }
        if upload.write == WriteRule::CreateOnly {
            let mut connection = self.connection().await?;
            let paths = [upload.path.as_str()];
            let acknowledged =
                uploads::find_acknowledged(&mut connection, &upload.tenant, &paths).await?;
            if let Some(other) = acknowledged.iter().find(|other| other.id != upload.id) {
                return Ok(Some(Blocker::Forbidden(dataset_exists(upload, other.id))));
            }
        }
        let found = self.head_object(upload).await?;
        if (found.as_ref()).is_some_and(|found| found.upload_id == Some(upload.id)) {
            return Ok(Some(Blocker::AlreadyCompleted));
        }
        let refusal = match &upload.write {
            WriteRule::CreateOnly => found.map(|_| foreign_object_exists(upload)),
            WriteRule::Replace { etag } => {
                let is_expected = found.is_some_and(|found| same_etag(etag, &found.etag));
                (!is_expected).then(|| version_changed(upload))
            }
            WriteRule::Overwrite => None,
        };
        Ok(refusal.map(Blocker::Forbidden))
    }
}
