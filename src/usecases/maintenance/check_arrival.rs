//! Checks whether the object of an upload has arrived that no client acknowledges.
//!
//! An Uppy client that sends its file in a single POST reports nothing afterwards. Where no S3 event
//! and no page does it, such an upload would stay Pending until its deadline. So it is checked with a
//! HEAD soon after its creation, and then ever more rarely: the pause is as long as the upload is old.
//! Once its object is there, it is acknowledged as by a client. A wrong object fails it, too.
//!
//! If S3 or Postgres fails, or the process dies, the row stays as it was; the check is repeated when the
//! lease of the row ends. After the deadline the upload is overdue, and `expire` ends it.

use std::sync::Arc;

use chrono::TimeDelta;

use crate::domain::status::Status;
use crate::domain::upload::{Upload, Verifier};
use crate::store::uploads;
use crate::usecases::context::Broker;
use crate::usecases::error::{Error, Result};
use crate::usecases::uploads::acknowledge::Expected;

/// The longest pause between two checks of an upload.
const MAX_PAUSE: TimeDelta = TimeDelta::minutes(15);

/// The outcome of an arrival check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArrivalCheck {
    /// The object is there and correct: the upload is Uploaded.
    Uploaded,
    /// The object cannot be the declared one: the upload has failed.
    Refused,
    /// The object is not there yet, or another process changed the row.
    Unchanged,
}

/// Checks whether the object of one Pending upload has arrived.
pub async fn check_arrival(broker: &Arc<Broker>, upload: Upload) -> Result<ArrivalCheck> {
    let this = Arc::clone(broker);
    broker
        .tasks
        .run_to_end(async move { this.check_arrival(upload).await })
        .await
}

/// Predicts the outcome of the check. Changes nothing.
pub async fn predict(broker: &Broker, upload: &Upload) -> Result<ArrivalCheck> {
    Ok(match broker.has_arrived(upload).await? {
        true => ArrivalCheck::Uploaded,
        false => ArrivalCheck::Unchanged,
    })
}

impl Broker {
    async fn check_arrival(self: &Arc<Self>, upload: Upload) -> Result<ArrivalCheck> {
        if upload.status != Status::Pending {
            return Ok(ArrivalCheck::Unchanged);
        }
        if !self.has_arrived(&upload).await? {
            self.schedule_arrival_check(&upload).await?;
            return Ok(ArrivalCheck::Unchanged);
        }
        let by = Verifier::Janitor;
        match self
            .acknowledge(upload.clone(), Expected::default(), by)
            .await
        {
            Ok(_) => Ok(ArrivalCheck::Uploaded),
            Err(Error::Refused(_)) => {
                // If it is still Pending, it is checked again later.
                self.schedule_arrival_check(&upload).await?;
                Ok(ArrivalCheck::Refused)
            }
            Err(fault) => Err(fault),
        }
    }

    /// Whether the object at the key was written by a URL or a form of this upload.
    async fn has_arrived(&self, upload: &Upload) -> Result<bool> {
        let found = self.head_object(upload).await?;
        Ok(found.is_some_and(|found| found.upload_id == Some(upload.id)))
    }

    async fn schedule_arrival_check(&self, upload: &Upload) -> Result<()> {
        let now = self.clock.now();
        let first = self.rules.arrival_check.unwrap_or(MAX_PAUSE);
        let pause = (now - upload.created_at).clamp(first.min(MAX_PAUSE), MAX_PAUSE);
        let mut connection = self.connection().await?;
        Ok(uploads::schedule_arrival_check(&mut connection, upload, now + pause).await?)
    }
}
