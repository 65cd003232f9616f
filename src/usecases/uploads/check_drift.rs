//! Checks whether the proven object is still at its key.
//!
//! The HEAD comes first, then one transaction records the change and writes its event. If either
//! fails, the row stays as it was. The status does not change: the proof was correct when it was
//! made, and drift is stored separately.
//!
//! If two checks run at the same time and the object changes in between, the slower one may
//! overwrite the newer result; the next check corrects it.

use std::sync::Arc;

use diesel_async::AsyncConnection as _;

use crate::domain::drift::Drift;
use crate::domain::event::EventType;
use crate::domain::upload::Upload;
use crate::store::uploads;
use crate::usecases::context::Broker;
use crate::usecases::error::Result;

/// The outcome of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DriftCheck {
    /// The drift was already recorded, or there was nothing to record.
    Unchanged,
    /// The object was removed or replaced, and this check recorded it.
    Drifted(Drift),
    /// The proven object is present again, and this check recorded it.
    Restored,
}

/// Checks the object of an acknowledged upload, and records drift or its end.
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
        // An object of another upload counts for that upload.
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
        let (at, notified) = (self.clock.now(), &self.rules.notified);
        let recorded = connection
            .transaction(async |connection| {
                uploads::mark_drift(connection, &upload, drift, unproven, at, notified).await
            })
            .await?;
        Ok(match (recorded, drift) {
            (None, _) => DriftCheck::Unchanged,
            (Some(_), Some(kind)) => {
                self.wake_relay(EventType::Drifted);
                self.metrics.uploads.drifted(kind.as_str());
                DriftCheck::Drifted(kind)
            }
            (Some(_), None) => {
                self.wake_relay(EventType::Restored);
                self.metrics.uploads.drifted("restored");
                DriftCheck::Restored
            }
        })
    }
}
