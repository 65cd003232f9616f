//! What keeps the parts of an upload from being made an object: asked right before S3 is.
//!
//! S3 holds a completion to its condition, and not every store does: some ignore `If-None-Match` at
//! CompleteMultipartUpload and replace what stands there. So the row of the path and the object are
//! always asked too, also where conditional writes are on.

use super::refusals::{dataset_exists, foreign_object_exists, version_changed};
use crate::domain::object::same_etag;
use crate::domain::refusal::Refusal;
use crate::domain::upload::{Upload, WriteRule};
use crate::store::uploads;
use crate::usecases::context::Broker;
use crate::usecases::error::Result;

/// Why no object is made of the parts.
pub(super) enum Blocker {
    /// It was made already: its own object stands there.
    AlreadyCompleted,
    /// It never may be.
    Forbidden(Refusal),
}

impl Broker {
    /// What stands in the way of the upload; nothing where it may replace whatever stands there.
    pub(super) async fn find_blocker(&self, upload: &Upload) -> Result<Option<Blocker>> {
        if upload.write == WriteRule::Overwrite {
            return Ok(None);
        }
        if upload.write == WriteRule::CreateOnly {
            let mut connection = self.connection().await?;
            let paths = [upload.path.as_str()];
            let standing =
                uploads::find_acknowledged(&mut connection, &upload.tenant, &paths).await?;
            if let Some(other) = standing.iter().find(|other| other.id != upload.id) {
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
                let is_it = found.is_some_and(|found| same_etag(etag, &found.etag));
                (!is_it).then(|| version_changed(upload))
            }
            WriteRule::Overwrite => None,
        };
        Ok(refusal.map(Blocker::Forbidden))
    }
}
