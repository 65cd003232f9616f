//! Recheck: does the proven object still stand at its key?
//!
//! The HEAD comes first, then one transaction that notes what changed and writes its event. A
//! fault of either leaves the row as it was. The status does not change: the proof was right when
//! it was made, and what came later is told beside it.
//!
//! Of two looks at once, the slower one may note what the faster one saw better, if the object
//! changed in between; the next look puts it right.

use std::sync::Arc;

use diesel_async::AsyncConnection as _;

use crate::domain::drift::Drift;
use crate::domain::upload::Upload;
use crate::store::uploads;
use crate::usecases::context::Broker;
use crate::usecases::error::Result;

/// What a look came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DriftCheck {
    /// It was noted already, or there was nothing to note.
    Unchanged,
    /// The object is gone or another one: noted now.
    Drifted(Drift),
    /// The proven object stands there again: noted now.
    Restored,
}

/// Looks at the object of an acknowledged upload, and notes what became of it.
pub async fn check_drift(broker: &Arc<Broker>, upload: Upload) -> Result<DriftCheck> {
    let this = Arc::clone(broker);
    broker
        .tasks
        .run_to_end(async move { this.check_drift(upload).await })
        .await
}

impl Broker {
    pub(in crate::usecases) async fn check_drift(&self, upload: Upload) -> Result<DriftCheck> {
        if !upload.status.is_acknowledged() {
            return Ok(DriftCheck::Unchanged);
        }
        let found = self.head_object(&upload).await?;
        let drift = upload.detect_drift(found.as_ref());
        // What another upload has written counts for that one.
        let unproven = found
            .filter(|found| drift.is_some() && found.upload_id == Some(upload.id))
            .map(|found| found.size);
        let mut connection = match (drift, upload.drift) {
            (None, None) => return Ok(DriftCheck::Unchanged),
            _ => self.connection().await?,
        };
        if drift == upload.drift.map(|drifted| drifted.kind) {
            uploads::set_drifted_size(&mut connection, &upload, unproven).await?;
            return Ok(DriftCheck::Unchanged);
        }
        let at = self.clock.now();
        let noted = connection
            .transaction(async |connection| {
                uploads::mark_drift(connection, &upload, drift, unproven, at).await
            })
            .await?;
        Ok(match (noted, drift) {
            (None, _) => DriftCheck::Unchanged,
            (Some(_), Some(kind)) => {
                self.metrics.uploads.drifted(kind.as_str());
                DriftCheck::Drifted(kind)
            }
            (Some(_), None) => {
                self.metrics.uploads.drifted("restored");
                DriftCheck::Restored
            }
        })
    }
}
