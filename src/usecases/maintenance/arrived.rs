//! S3 events: the store reports that something happened at a key.
//!
//! An event only triggers a check. The HEAD of the object decides, so events may arrive twice, late
//! and in any order. An object whose metadata names a waiting upload is acknowledged, as if the
//! client had asked; earlier acknowledged uploads at the key are checked for drift. If S3 or
//! Postgres fails, nothing changes, and the event has to be delivered again.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use crate::domain::drift::Drift;
use crate::domain::object::FoundObject;
use crate::domain::refusal::Code;
use crate::domain::status::Transition;
use crate::domain::upload::{Upload, Verifier};
use crate::store::uploads;
use crate::usecases::context::Broker;
use crate::usecases::error::{Error, Result};
use crate::usecases::uploads::acknowledge::Expected;
use crate::usecases::uploads::check_drift::DriftCheck;
use crate::usecases::uploads::upload_in_metadata::UploadInMetadata;

/// How long after the creation of an id its row may be invisible: replication, and differences
/// between clocks, can be slower than a client.
const MAX_VISIBILITY_DELAY: TimeDelta = TimeDelta::minutes(2);

/// The outcome of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrived {
    /// The upload that waited for the object is now Uploaded.
    Uploaded(Uuid),
    /// The object is not the declared one, or the upload can no longer be acknowledged.
    Refused(Uuid, Code),
    /// The object of an acknowledged upload was removed or replaced.
    Drifted(Uuid, Drift),
    /// The proven object of an acknowledged upload is present again.
    Restored(Uuid),
    /// The state was already recorded.
    Known,
    /// No upload belongs to this bucket and key.
    ForeignObject,
    /// The object names an upload that was created so recently that its row may be invisible. Retry
    /// soon.
    NotYet(Uuid),
}

/// Checks the object at `key`, and acknowledges its upload or records drift.
pub async fn arrived(broker: &Arc<Broker>, bucket: &str, key: &str) -> Result<Arrived> {
    if !broker.holds_uploads(bucket).await? {
        return Ok(Arrived::ForeignObject);
    }
    let (this, bucket, key) = (Arc::clone(broker), bucket.to_owned(), key.to_owned());
    let work = async move { this.arrived(&bucket, &key).await };
    broker.tasks.run_to_end(work).await
}

impl Broker {
    async fn arrived(self: &Arc<Self>, bucket: &str, key: &str) -> Result<Arrived> {
        let found = self.bucket(bucket).await?.objects.head(key).await?;
        let metadata = self.upload_in_metadata(bucket, key, found.as_ref()).await?;
        let outcome = match metadata {
            UploadInMetadata::UnknownId(id) if may_be_invisible(id, self.clock.now()) => {
                return Ok(Arrived::NotYet(id));
            }
            UploadInMetadata::Upload(upload) => self.acknowledge_arrived(*upload).await?,
            UploadInMetadata::None | UploadInMetadata::UnknownId(_) => Arrived::ForeignObject,
        };
        if matches!(outcome, Arrived::Uploaded(_)) {
            return Ok(outcome);
        }
        // The object at the key, or its absence, may mean that a proven object was replaced.
        let others = self.check_acknowledged(bucket, key, found.as_ref()).await?;
        Ok(others.unwrap_or(outcome))
    }

    /// Acknowledges the upload that waits for this object.
    async fn acknowledge_arrived(self: &Arc<Self>, upload: Upload) -> Result<Arrived> {
        let id = upload.id;
        if !Transition::Acknowledge.allows(upload.status) {
            return Ok(Arrived::Known);
        }
        let by = Verifier::S3Event;
        match self.acknowledge(upload, Expected::default(), by).await {
            Ok(_) => Ok(Arrived::Uploaded(id)),
            Err(Error::Refused(refusal)) => Ok(Arrived::Refused(id, refusal.code)),
            Err(fault) => Err(fault),
        }
    }

    /// Records drift of the acknowledged uploads at `key`. Returns `None` if there are none.
    async fn check_acknowledged(
        &self,
        bucket: &str,
        key: &str,
        found: Option<&FoundObject>,
    ) -> Result<Option<Arrived>> {
        let mut connection = self.connection().await?;
        let acknowledged = uploads::find_acknowledged_at_key(&mut connection, bucket, key).await?;
        drop(connection);
        let mut outcome = None;
        for upload in acknowledged {
            let id = upload.id;
            // Most events report a known state, which needs no second check.
            if upload.detect_drift(found) == upload.drift.map(|drifted| drifted.kind) {
                outcome = outcome.or(Some(Arrived::Known));
                continue;
            }
            outcome = Some(match self.check_drift(upload).await? {
                DriftCheck::Unchanged => Arrived::Known,
                DriftCheck::Drifted(kind) => Arrived::Drifted(id, kind),
                DriftCheck::Restored => Arrived::Restored(id),
            });
        }
        Ok(outcome)
    }
}

/// Judged by the time in the UUIDv7 (RFC 9562, section 5.7). Ids of other versions are not from the
/// broker.
fn may_be_invisible(id: Uuid, now: DateTime<Utc>) -> bool {
    let created = (id.get_timestamp()).filter(|_| id.get_version_num() == 7);
    let created = created.and_then(|created| {
        let (seconds, nanos) = created.to_unix();
        DateTime::from_timestamp(i64::try_from(seconds).ok()?, nanos)
    });
    created.is_some_and(|created| (now - created).abs() < MAX_VISIBILITY_DELAY)
}
