//! From a HEAD to a verdict, and from a verdict to a row.

use std::sync::Arc;

use super::assemble::Assembled;
use super::claims::Claimed;
use super::commit::Committed;
use crate::domain::proof::{Mismatch, SizeLimit, Verdict, compare};
use crate::domain::refusal::{Code, Refusal};
use crate::domain::status::Transition;
use crate::domain::upload::{Upload, Verifier, WriteRule};
use crate::store::uploads::{self, Place};
use crate::usecases::broker::Broker;
use crate::usecases::error::{Dependency, Error, Result};

/// How often an object is looked at anew because others acknowledge at the same path.
const ATTEMPTS: u32 = 10;

/// What came of a proof. Each carries the row as it was last seen.
pub(in crate::usecases) enum Outcome {
    /// It is Uploaded, by this call or by another one.
    Uploaded(Upload),
    /// Nothing stands at the key.
    Missing(Upload),
    /// Another object stands there, which this upload may replace.
    NotYetOurs(Upload),
    /// It can never be what was promised. The row is as it was.
    Refuted {
        /// The row.
        upload: Upload,
        /// Why.
        refusal: Refusal,
        /// How many bytes its own URL has put there, where it has.
        unproven: Option<u64>,
    },
    /// It left the states that can be acknowledged.
    Elsewhere(Upload),
}

impl Outcome {
    fn refuted(upload: Upload, refusal: Refusal, unproven: Option<u64>) -> Self {
        Self::Refuted {
            upload,
            refusal,
            unproven,
        }
    }

    /// What it means where the parts were not made an object: never, because of what stands at the
    /// key, or not now, because of another write.
    pub(in crate::usecases) fn after(self, assembled: Assembled) -> Result<Self> {
        match (self, assembled) {
            (Self::Missing(upload) | Self::NotYetOurs(upload), Assembled::Blocked)
                if upload.write != WriteRule::CreateOnly =>
            {
                let refusal = replaced(&upload);
                Ok(Self::refuted(upload, refusal, None))
            }
            (Self::Missing(_) | Self::NotYetOurs(_), Assembled::Contended) => {
                let cause = "another write of the key was under way";
                Err(Error::unavailable(Dependency::S3, cause))
            }
            (outcome, _) => Ok(outcome),
        }
    }
}

impl Broker {
    /// Looks at the object and, where it is the promised one, marks the upload Uploaded.
    pub(in crate::usecases) async fn prove(
        self: &Arc<Self>,
        mut upload: Upload,
        claimed: &Claimed,
        by: Verifier,
    ) -> Result<Outcome> {
        let limit = SizeLimit(self.max_size_of(&upload).await?);
        for _ in 0..ATTEMPTS {
            let mut connection = self.connection().await?;
            let mark = uploads::current_of(&mut connection, Place::from(&upload)).await?;
            drop(connection);
            let Some(found) = self.stored(&upload).await? else {
                return Ok(Outcome::Missing(upload));
            };
            let etag = claimed.etag.as_deref();
            let encryption = upload.headers.encryption.as_ref();
            let declared = &claimed.declared;
            let verdict = compare(upload.id, declared, etag, limit, encryption, &found);
            let (object, level) = match verdict {
                Verdict::Proven(object, level) => (object, level),
                Verdict::NotOurs if upload.write.may_replace() => {
                    return Ok(Outcome::NotYetOurs(upload));
                }
                Verdict::NotOurs => {
                    let refusal = taken(&upload);
                    return Ok(Outcome::refuted(upload, refusal, None));
                }
                Verdict::Mismatch(mismatches) => {
                    let refusal = mismatch(&upload, mismatches);
                    return Ok(Outcome::refuted(upload, refusal, Some(found.size)));
                }
            };
            match self
                .commit(upload, claimed, mark, object, level, by)
                .await?
            {
                Committed::Done(done) => return Ok(Outcome::Uploaded(done)),
                Committed::Moved(seen) => upload = self.reload(&seen).await?,
            }
            if upload.was_acknowledged() {
                return Ok(Outcome::Uploaded(upload));
            }
            if !Transition::Acknowledge.allows(upload.status) {
                return Ok(Outcome::Elsewhere(upload));
            }
        }
        let cause = format!("{} changed under {ATTEMPTS} looks in a row", upload.path);
        Err(Error::unavailable(Dependency::S3, cause))
    }

    /// The row as it is now.
    pub(in crate::usecases) async fn reload(&self, upload: &Upload) -> Result<Upload> {
        let mut connection = self.connection().await?;
        let upload = uploads::by_id(&mut connection, &upload.tenant, upload.id)
            .await?
            .ok_or_else(|| Refusal::no_upload(upload.id))?;
        Ok(upload)
    }
}

fn taken(upload: &Upload) -> Refusal {
    Refusal {
        upload_id: Some(upload.id),
        ..Refusal::new(
            Code::DatasetExists,
            format!(
                "The object at {} was not written by this upload's URL, and it may not replace it.",
                upload.path
            ),
        )
    }
}

fn replaced(upload: &Upload) -> Refusal {
    Refusal {
        upload_id: Some(upload.id),
        ..Refusal::new(
            Code::DatasetExists,
            format!(
                "The version at {} that if_match names is no longer there: nothing was replaced.",
                upload.path
            ),
        )
    }
}

fn mismatch(upload: &Upload, mismatches: Vec<Mismatch>) -> Refusal {
    let words: Vec<_> = mismatches.iter().map(ToString::to_string).collect();
    Refusal {
        upload_id: Some(upload.id),
        mismatches,
        ..Refusal::new(Code::ObjectMismatch, words.join("; "))
    }
}
