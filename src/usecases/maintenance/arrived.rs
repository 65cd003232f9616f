//! Arrived: the store says that something happened at a key.
//!
//! The event is only a reason to look. What the HEAD finds decides, so that events may come twice,
//! late and in any order. An object that names an upload which waits for it is acknowledged, as if
//! its client had asked; an upload that was acknowledged at the key before is looked at for drift.
//! A fault of S3 or Postgres changes nothing: the event has to be told again.

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

/// For how long after the making of an id its row may not be visible yet: replication, and clocks
/// that differ, are slower than a client at times.
const MAX_VISIBILITY_DELAY: TimeDelta = TimeDelta::minutes(2);

/// What came of a look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrived {
    /// The upload that waited for the object is Uploaded.
    Uploaded(Uuid),
    /// The object is not what its upload promised, or the upload waits no more.
    Refused(Uuid, Code),
    /// An acknowledged upload's object is gone, or another one.
    Drifted(Uuid, Drift),
    /// An acknowledged upload's object stands there again.
    Restored(Uuid),
    /// It is known already.
    Known,
    /// No upload has to do with this bucket and key.
    ForeignObject,
    /// The object names an upload so young that its row may not be visible yet: ask again soon.
    NotYet(Uuid),
}

/// Looks at what stands at `key`, and does what follows from it.
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
        // Whatever stands there, or does not, may have taken the place of a proven object.
        let others = self.check_acknowledged(bucket, key, found.as_ref()).await?;
        Ok(others.unwrap_or(outcome))
    }

    /// Acknowledges an upload that waits for its object.
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

    /// Notes what became of the proven objects that stood at `key`. `None` where there were none.
    async fn check_acknowledged(
        &self,
        bucket: &str,
        key: &str,
        found: Option<&FoundObject>,
    ) -> Result<Option<Arrived>> {
        let mut connection = self.connection().await?;
        let standing = uploads::find_acknowledged_at_key(&mut connection, bucket, key).await?;
        drop(connection);
        let mut outcome = None;
        for upload in standing {
            let id = upload.id;
            // Most events tell what is known: those need no second look.
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

/// By the time in a UUIDv7 (RFC 9562, section 5.7); an id of another version was never ours.
fn may_be_invisible(id: Uuid, now: DateTime<Utc>) -> bool {
    let made = (id.get_timestamp()).filter(|_| id.get_version_num() == 7);
    let made = made.and_then(|made| {
        let (seconds, nanos) = made.to_unix();
        DateTime::from_timestamp(i64::try_from(seconds).ok()?, nanos)
    });
    made.is_some_and(|made| (now - made).abs() < MAX_VISIBILITY_DELAY)
}
