//! Proves an upload: reads the object, decides whether it is the declared one, and writes the
//! result to the row.

use std::sync::Arc;

use super::assemble::Assembled;
use super::commit::Committed;
use super::expected::ValidExpected;
use super::refusals::{dataset_exists, foreign_object_exists, mismatch, version_changed};
use crate::domain::proof::{Verdict, compare};
use crate::domain::refusal::Refusal;
use crate::domain::status::Transition;
use crate::domain::upload::{Upload, Verifier, WriteRule};
use crate::store::uploads::{self, PathVersion};
use crate::usecases::context::Broker;
use crate::usecases::error::{Dependency, Error, Result};
use crate::usecases::tenants::limits::too_large;

/// How often an object is read again because other uploads are acknowledged at the same path.
const ATTEMPTS: u32 = 10;

/// The outcome of a proof. Each variant has the row as it was last read.
pub(in crate::usecases) enum Outcome {
    /// The upload is Uploaded, by this call or another one.
    Uploaded(Upload),
    /// There is no object at the key.
    Missing(Upload),
    /// The key has another object, which this upload may replace.
    ForeignObject(Upload),
    /// The object can never be the declared one. The row was not changed.
    Rejected {
        /// The upload.
        upload: Upload,
        /// Why the upload cannot be acknowledged.
        refusal: Refusal,
        /// The object at the key, if this upload wrote it.
        unproven: Option<Unproven>,
    },
    /// The key lies under the prefix of another tenant by now. The row was not changed.
    OtherTenantsPrefix(Upload),
    /// The upload left the states that can be acknowledged.
    Ended(Upload),
}

/// An object that was written by an upload's own URL, or by the completion of its parts, and that
/// cannot be acknowledged.
#[derive(Clone, Debug)]
pub(in crate::usecases) struct Unproven {
    /// The size in bytes.
    pub(in crate::usecases) size: u64,
    /// Its ETag, which differs from that of the dataset whose bytes it has replaced.
    pub(in crate::usecases) etag: String,
    /// The version of the path before the object was read.
    pub(in crate::usecases) version: PathVersion,
}

impl Outcome {
    pub(in crate::usecases) fn rejected(
        upload: Upload,
        refusal: Refusal,
        unproven: Option<Unproven>,
    ) -> Self {
        Self::Rejected {
            upload,
            refusal,
            unproven,
        }
    }

    /// Combines the outcome with that of the assembly. If the parts were not completed because of
    /// the object at the key, the upload is rejected; if another write was in progress, a retry may
    /// succeed.
    pub(in crate::usecases) fn combine_with(self, assembled: &Assembled) -> Result<Self> {
        match (self, assembled) {
            (Self::Missing(upload) | Self::ForeignObject(upload), Assembled::Blocked)
                if upload.write != WriteRule::CreateOnly =>
            {
                let refusal = version_changed(&upload);
                Ok(Self::rejected(upload, refusal, None))
            }
            (Self::Missing(_) | Self::ForeignObject(_), Assembled::Contended) => {
                let cause = "another write of the key is in progress";
                Err(Error::unavailable(Dependency::S3, cause))
            }
            (outcome, _) => Ok(outcome),
        }
    }
}

impl Broker {
    /// Reads the object and, if it is the declared one, marks the upload Uploaded.
    pub(in crate::usecases) async fn prove(
        self: &Arc<Self>,
        mut upload: Upload,
        valid: &ValidExpected,
        by: Verifier,
    ) -> Result<Outcome> {
        let limit = self.size_limit_of(&upload).await?;
        for _ in 0..ATTEMPTS {
            let mut connection = self.connection().await?;
            let before = uploads::read_path_state(&mut connection, &upload).await?;
            drop(connection);
            if before.in_other_tenants_prefix {
                return Ok(Outcome::OtherTenantsPrefix(upload));
            }
            let version = before.version;
            let Some(mut found) = self.head_object(&upload).await? else {
                return Ok(Outcome::Missing(upload));
            };
            if valid.declared.checksum.is_some() && !found.checksums.is_empty() {
                found.checksums_checked = self.checks_checksums(&upload).await?;
            }
            let etag = valid.etag.as_deref();
            let encryption = upload.headers.encryption.as_ref();
            let declared = &valid.declared;
            let verdict = compare(upload.id, declared, etag, limit, encryption, &found);
            let unproven = Unproven {
                size: found.size,
                etag: found.etag,
                version,
            };
            let other = version.upload().filter(|other| *other != upload.id);
            let (object, level) = match (verdict, other) {
                // A dataset that a create-only upload replaced nevertheless, because the store
                // ignored the condition of its write, is not superseded: it was destroyed.
                (Verdict::Proven(..), Some(other)) if upload.write == WriteRule::CreateOnly => {
                    let refusal = dataset_exists(&upload, other);
                    return Ok(Outcome::rejected(upload, refusal, Some(unproven)));
                }
                (Verdict::Proven(object, level), _) => (object, level),
                (Verdict::ForeignObject, _) if upload.write.may_replace() => {
                    return Ok(Outcome::ForeignObject(upload));
                }
                (Verdict::ForeignObject, _) => {
                    let refusal = foreign_object_exists(&upload);
                    return Ok(Outcome::rejected(upload, refusal, None));
                }
                (Verdict::TooLarge { limit, found }, _) => {
                    let refusal = too_large(&upload, found, limit);
                    return Ok(Outcome::rejected(upload, refusal, Some(unproven)));
                }
                (Verdict::Mismatch(mismatches), _) => {
                    let refusal = mismatch(&upload, mismatches);
                    return Ok(Outcome::rejected(upload, refusal, Some(unproven)));
                }
            };
            let seen = match self
                .commit(upload, valid, version, object, level, by)
                .await?
            {
                Committed::Done(done) => return Ok(Outcome::Uploaded(done)),
                Committed::Changed(seen) => seen,
            };
            self.wait_for_removals(&seen, &unproven.etag).await?;
            upload = self.reload(&seen).await?;
            if upload.was_acknowledged() {
                return Ok(Outcome::Uploaded(upload));
            }
            if !Transition::Acknowledge.allows(upload.status) {
                return Ok(Outcome::Ended(upload));
            }
        }
        let cause = format!(
            "{} changed during {ATTEMPTS} consecutive checks",
            upload.path
        );
        Err(Error::unavailable(Dependency::S3, cause))
    }
}
