//! Expire: what became of an upload that nobody acknowledged.
//!
//! The object is looked at first: what came and is right is Uploaded, as if the client had said
//! so. A fault of S3 or Postgres leaves the row Pending for the next round.

use std::sync::Arc;

use chrono::TimeDelta;

use super::acknowledge::{Claims, Outcome, failure};
use super::broker::Broker;
use super::error::Result;
use crate::domain::status::{Status, Transition};
use crate::domain::upload::{Upload, Verifier};
use crate::store::uploads::{self, Changes};

/// What a look at an overdue upload came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Looked {
    /// The object was there and right.
    Uploaded,
    /// It was not, or was not right.
    Expired,
    /// Somebody else changed the row meanwhile.
    Left,
}

/// Pending uploads past their deadline and the grace, the oldest first; `after` is the last one
/// of the page before. The grace is for transfers that began in time.
pub async fn overdue(broker: &Broker, after: Option<&Upload>, limit: u16) -> Result<Vec<Upload>> {
    let grace = TimeDelta::seconds(broker.rules.grace_seconds.into());
    let before = broker.clock.now() - grace;
    let after = after.map(|upload| (upload.expires_at, upload.id));
    let mut connection = broker.connection().await?;
    Ok(uploads::overdue(&mut connection, before, after, limit.into()).await?)
}

/// Looks at one overdue upload and marks it Uploaded or Expired.
pub async fn expire(broker: &Arc<Broker>, upload: Upload) -> Result<Looked> {
    let this = Arc::clone(broker);
    broker
        .to_end(async move { this.expire(upload).await })
        .await
}

impl Broker {
    async fn expire(self: &Arc<Self>, upload: Upload) -> Result<Looked> {
        let claimed = Claims::default().check(&upload)?;
        let (upload, changes) = match self.prove(upload, &claimed, Verifier::Janitor).await? {
            Outcome::Uploaded(_) => return Ok(Looked::Uploaded),
            Outcome::Elsewhere(_) => return Ok(Looked::Left),
            Outcome::Missing(upload) | Outcome::NotYetOurs(upload) => (upload, Changes::default()),
            // Kept with the row, so that a person can see why.
            Outcome::Refuted(upload, refusal) => {
                self.count_failure(&refusal);
                (upload, Changes::failed(failure(&refusal)))
            }
        };
        if upload.status != Status::Pending {
            return Ok(Looked::Left);
        }
        let taken = self.take(&upload, Transition::Expire, changes).await?;
        Ok(taken.map_or(Looked::Left, |_| Looked::Expired))
    }
}
