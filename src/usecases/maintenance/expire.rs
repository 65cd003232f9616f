//! Expire: what became of an upload that nobody acknowledged.
//!
//! The object is looked at first: what came and is right is Uploaded, as if the client had said
//! so, and parts that are whole are made an object for that. Other parts are freed once the row is
//! Expired; where S3 fails at that, or a crash comes between, the janitor finds them by themselves.
//! A fault of S3 or Postgres leaves the row Pending for the next round, and a client that extends
//! the session meanwhile keeps it.

use std::sync::Arc;

use crate::domain::proof::{Verdict, compare};
use crate::domain::refusal::{Code, Refusal};
use crate::domain::status::{Status, Transition};
use crate::domain::upload::{Upload, Verifier};
use crate::store::uploads::{self, Changes};
use crate::usecases::context::Broker;
use crate::usecases::error::{Error, Result};
use crate::usecases::uploads::acknowledge::{Assembled, Expected, Outcome, Unproven};

/// What a look at an overdue upload came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExpireOutcome {
    /// The object was there and right.
    Uploaded,
    /// It was not, or was not right: Expired, or Error where it is larger than it may be.
    Expired,
    /// Somebody else changed the row meanwhile.
    Unchanged,
}

/// Looks at one overdue upload and marks it Uploaded, Expired, or Error where its object is larger
/// than it may be. One that is Expired already becomes Uploaded where its object came late, and is left as it is otherwise.
pub async fn expire(broker: &Arc<Broker>, upload: Upload) -> Result<ExpireOutcome> {
    let this = Arc::clone(broker);
    broker
        .tasks
        .run_to_end(async move { this.expire(upload).await })
        .await
}

/// What a look at an overdue upload would come to, and nothing changes.
pub async fn predict(broker: &Broker, upload: &Upload) -> Result<ExpireOutcome> {
    if broker.is_complete(upload).await? {
        return Ok(ExpireOutcome::Uploaded);
    }
    let mut connection = broker.connection().await?;
    let before = uploads::read_path_state(&mut connection, upload).await?;
    drop(connection);
    if before.in_other_tenants_prefix {
        return Ok(ExpireOutcome::Expired);
    }
    let Some(found) = broker.head_object(upload).await? else {
        return Ok(ExpireOutcome::Expired);
    };
    let limit = broker.size_limit_of(upload).await?;
    let encryption = upload.headers.encryption.as_ref();
    let verdict = compare(upload.id, &upload.declared, None, limit, encryption, &found);
    Ok(match verdict {
        Verdict::Proven(..) => ExpireOutcome::Uploaded,
        Verdict::ForeignObject | Verdict::TooLarge { .. } | Verdict::Mismatch(_) => {
            ExpireOutcome::Expired
        }
    })
}

impl Broker {
    async fn expire(self: &Arc<Self>, mut upload: Upload) -> Result<ExpireOutcome> {
        let _lock = self.lock_completion(&mut upload).await?;
        if !Transition::Acknowledge.allows(upload.status) {
            return Ok(ExpireOutcome::Unchanged);
        }
        if upload.status == Status::Pending && upload.expires_at > self.clock.now() {
            // It was extended, or is completed by another process, since it was found overdue.
            return Ok(ExpireOutcome::Unchanged);
        }
        let by = Verifier::Janitor;
        let (valid, assembled) = match self.assemble(&mut upload, Expected::default()).await {
            Ok(assembled) => assembled,
            // Parts are missing, or wrong: nobody will send them any more.
            Err(Error::Refused(_)) => (Expected::default().validate(&upload)?, Assembled::Gone),
            Err(fault) => return Err(fault),
        };
        if !Transition::Acknowledge.allows(upload.status) {
            self.clean_up_if_ended(&upload).await;
            return Ok(ExpireOutcome::Unchanged);
        }
        let outcome = match assembled {
            Assembled::Wrong(refusal) => Outcome::rejected(upload, *refusal, None),
            assembled => {
                let outcome = self.prove(upload, &valid, by).await?;
                outcome.combine_with(&assembled)?
            }
        };
        match outcome {
            Outcome::Uploaded(_) => Ok(ExpireOutcome::Uploaded),
            Outcome::Ended(upload) => {
                self.clean_up_if_ended(&upload).await;
                Ok(ExpireOutcome::Unchanged)
            }
            Outcome::Missing(upload)
            | Outcome::ForeignObject(upload)
            | Outcome::OtherTenantsPrefix(upload) => self.end_overdue(&upload, None).await,
            Outcome::Rejected {
                upload,
                refusal,
                unproven,
            } => {
                self.count_failure(&refusal);
                let wrong = Some((refusal, unproven));
                self.end_overdue(&upload, wrong).await
            }
        }
    }

    /// Marks an overdue upload Expired; what is wrong is kept with the row, so that a person can
    /// see why. What is larger than it may be is an Error: the row can then be deleted, and the
    /// object with it.
    async fn end_overdue(
        &self,
        upload: &Upload,
        wrong: Option<(Refusal, Option<Unproven>)>,
    ) -> Result<ExpireOutcome> {
        let is_pending = upload.status == Status::Pending;
        let taken = match &wrong {
            Some((refusal, unproven)) if refusal.code == Code::SizeLimitExceeded => {
                let arrow = Transition::Fail;
                self.end_unproven(upload, arrow, refusal, unproven.as_ref())
                    .await?
            }
            Some((_, unproven)) if !is_pending => {
                self.record_unproven(upload, unproven.as_ref()).await?;
                None
            }
            Some((refusal, unproven)) => {
                let arrow = Transition::Expire;
                self.end_unproven(upload, arrow, refusal, unproven.as_ref())
                    .await?
            }
            None if !is_pending => None,
            None => {
                let (arrow, changes) = (Transition::Expire, Changes::default());
                self.change_status(upload, arrow, changes).await?
            }
        };
        let Some(ended) = taken else {
            return Ok(ExpireOutcome::Unchanged);
        };
        self.abort(&ended).await;
        Ok(ExpireOutcome::Expired)
    }
}
