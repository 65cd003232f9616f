//! Ends overdue uploads: those that no client acknowledged in time.
//!
//! The object is checked first. If it arrived and is correct, the upload becomes Uploaded, as if
//! the client had acknowledged it; if all parts have arrived, they are completed for that.
//! Otherwise the row becomes Expired and the parts are removed; if S3 fails, or the process dies in
//! between, the search for stale multipart uploads removes them later.
//!
//! If S3 or Postgres fails, the row stays Pending for the next round. A client that extends the
//! session meanwhile keeps it.

use std::sync::Arc;

use crate::domain::proof::{Verdict, compare};
use crate::domain::refusal::{Code, Refusal};
use crate::domain::status::{Status, Transition};
use crate::domain::upload::{Upload, Verifier};
use crate::store::uploads::{self, Changes};
use crate::usecases::context::Broker;
use crate::usecases::error::{Error, Result};
use crate::usecases::uploads::acknowledge::{Assembled, Expected, Outcome, Unproven};

/// The outcome of the check of an overdue upload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExpireOutcome {
    /// The object was present and correct.
    Uploaded,
    /// The object was absent or incorrect. The upload is Expired, or Error if its object is too
    /// large.
    Expired,
    /// Another caller or process changed the row meanwhile.
    Unchanged,
}

/// Checks one overdue upload and marks it Uploaded or Expired, or Error if its object is too large.
/// An upload that is already Expired becomes Uploaded if its object arrived late, and otherwise
/// stays unchanged.
pub async fn expire(broker: &Arc<Broker>, upload: Upload) -> Result<ExpireOutcome> {
    let this = Arc::clone(broker);
    broker
        .tasks
        .run_to_end(async move { this.expire(upload).await })
        .await
}

/// Predicts the outcome of the check. Changes nothing.
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
            // It was extended, or another process completes it, since it was found overdue.
            return Ok(ExpireOutcome::Unchanged);
        }
        let by = Verifier::Janitor;
        let (valid, assembled) = match self.assemble(&mut upload, Expected::default()).await {
            Ok(assembled) => assembled,
            // Parts are missing or wrong, and the client will not send them any more.
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
                let failure = Some((refusal, unproven));
                self.end_overdue(&upload, failure).await
            }
        }
    }

    /// Marks an overdue upload Expired. The reason is stored in the row, for a person to read. An
    /// upload whose object is too large becomes Error instead, so that it can be deleted together
    /// with the object.
    async fn end_overdue(
        &self,
        upload: &Upload,
        failure: Option<(Refusal, Option<Unproven>)>,
    ) -> Result<ExpireOutcome> {
        let is_pending = upload.status == Status::Pending;
        let ended = match &failure {
            Some((refusal, unproven)) if refusal.code == Code::SizeLimitExceeded => {
                let transition = Transition::Fail;
                self.end_unproven(upload, transition, refusal, unproven.as_ref())
                    .await?
            }
            Some((_, unproven)) if !is_pending => {
                self.record_unproven(upload, unproven.as_ref()).await?;
                None
            }
            Some((refusal, unproven)) => {
                let transition = Transition::Expire;
                self.end_unproven(upload, transition, refusal, unproven.as_ref())
                    .await?
            }
            None if !is_pending => None,
            None => {
                let (transition, changes) = (Transition::Expire, Changes::default());
                self.change_status(upload, transition, changes).await?
            }
        };
        let Some(ended) = ended else {
            return Ok(ExpireOutcome::Unchanged);
        };
        self.abort(&ended).await;
        Ok(ExpireOutcome::Expired)
    }
}
