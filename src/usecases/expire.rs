//! Expire: what became of an upload that nobody acknowledged.
//!
//! The object is looked at first: what came and is right is Uploaded, as if the client had said
//! so, and parts that are whole are made an object for that. Other parts are freed once the row is
//! Expired; where S3 fails at that, or a crash comes between, the janitor finds them by themselves.
//! A fault of S3 or Postgres leaves the row Pending for the next round, and a client that extends
//! the session meanwhile keeps it.

use std::sync::Arc;

use super::acknowledge::{Assembled, Claims, Outcome, failure};
use super::broker::Broker;
use super::error::{Error, Result};
use crate::domain::proof::{SizeLimit, Verdict, compare};
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

/// Looks at one overdue upload and marks it Uploaded or Expired. One that is Expired already
/// becomes Uploaded where its object came late, and is left as it is otherwise.
pub async fn expire(broker: &Arc<Broker>, upload: Upload) -> Result<Looked> {
    let this = Arc::clone(broker);
    broker
        .to_end(async move { this.expire(upload).await })
        .await
}

/// What a look at an overdue upload would come to, and nothing changes.
pub async fn foresee(broker: &Broker, upload: &Upload) -> Result<Looked> {
    if broker.is_whole(upload).await? {
        return Ok(Looked::Uploaded);
    }
    let Some(found) = broker.stored(upload).await? else {
        return Ok(Looked::Expired);
    };
    let limit = SizeLimit(broker.max_size_of(upload).await?);
    let encryption = upload.headers.encryption.as_ref();
    let verdict = compare(upload.id, &upload.declared, None, limit, encryption, &found);
    Ok(match verdict {
        Verdict::Proven(..) => Looked::Uploaded,
        Verdict::NotOurs | Verdict::Mismatch(_) => Looked::Expired,
    })
}

impl Broker {
    async fn expire(self: &Arc<Self>, mut upload: Upload) -> Result<Looked> {
        let _turn = self.take_turn(&mut upload).await?;
        if !Transition::Acknowledge.allows(upload.status) {
            return Ok(Looked::Left);
        }
        if upload.status == Status::Pending && upload.expires_at > self.clock.now() {
            // It was extended, or is completed by another process, since it was found overdue.
            return Ok(Looked::Left);
        }
        let (claims, by) = (Claims::default(), Verifier::Janitor);
        let (claimed, assembled) = match self.assemble(&mut upload, claims, by).await {
            Ok(assembled) => assembled,
            // Parts are missing, or wrong: nobody will send them any more.
            Err(Error::Refused(_)) => (Claims::default().check(&upload)?, Assembled::Gone),
            Err(fault) => return Err(fault),
        };
        if !Transition::Acknowledge.allows(upload.status) {
            self.clear_if_cancelled(&upload).await;
            return Ok(Looked::Left);
        }
        let outcome = self.prove(upload, &claimed, by).await?;
        let (upload, wrong) = match outcome.after(assembled)? {
            Outcome::Uploaded(_) => return Ok(Looked::Uploaded),
            Outcome::Elsewhere(upload) => {
                self.clear_if_cancelled(&upload).await;
                return Ok(Looked::Left);
            }
            Outcome::Missing(upload) | Outcome::NotYetOurs(upload) => (upload, None),
            Outcome::Refuted {
                upload,
                refusal,
                unproven,
            } => {
                self.count_failure(&refusal);
                (upload, Some((refusal, unproven)))
            }
        };
        if upload.status != Status::Pending {
            if let Some((_, unproven)) = wrong {
                let mut connection = self.connection().await?;
                uploads::note_unproven(&mut connection, upload.id, unproven).await?;
            }
            return Ok(Looked::Left);
        }
        // Kept with the row, so that a person can see why.
        let changes = wrong.map(|(refusal, unproven)| Changes::failed(failure(&refusal), unproven));
        let changes = changes.unwrap_or_default();
        let Some(expired) = self.take(&upload, Transition::Expire, changes).await? else {
            return Ok(Looked::Left);
        };
        self.abort(&expired).await;
        Ok(Looked::Expired)
    }
}
