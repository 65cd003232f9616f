//! Assemble: the parts of an upload become its object.
//!
//! The store says which parts there are, and only what is whole is completed: no part is missing,
//! none has another size, and the sum is the promised one. What a client promised with its
//! acknowledge is kept in the row before that, so that a crash, a lost answer or another prover
//! that is faster holds the object to all of it.
//!
//! The store's answer may get lost, or two callers may complete at once: "there is no such upload"
//! then means that there is an object. HEAD tells, so that this never says Uploaded by itself. What
//! S3 refuses for good is refused, and the upload stays Pending; after its deadline it expires.

use sha1::Sha1;
use sha2::{Digest, Sha256};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::TimeDelta;

use super::claims::{Claimed, Claims};
use super::whole::whole;
use crate::domain::checksum::{Algorithm, Checksum};
use crate::domain::object::same_etag;
use crate::domain::refusal::{Code, Refusal};
use crate::domain::status::{Status, Transition};
use crate::domain::upload::{Multipart, Upload, Verifier, WriteRule};
use crate::objects::multipart::{CompleteMultipart, Completion, UploadedPart};
use crate::store::tenants;
use crate::store::uploads::{self, Promise};
use crate::usecases::broker::Broker;
use crate::usecases::error::{Error, Result};
use crate::usecases::parts::not_ours;
use crate::usecases::signed_parts::plan;

/// How often the parts are listed anew because somebody sent one again meanwhile.
const ATTEMPTS: u32 = 3;

/// What came of the parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::usecases) enum Assembled {
    /// They are an object now.
    Done,
    /// The store has no such upload: they are an object, or they are gone.
    Gone,
    /// Something else stands at the key, or not the version that was to be replaced.
    Blocked,
    /// Another write of the key was under way.
    Contended,
}

impl Broker {
    /// Completes the upload where it is whole; refuses, and leaves it as it is, where it is not.
    /// The upload is told what was promised meanwhile.
    pub(in crate::usecases) async fn assemble(
        &self,
        upload: &mut Upload,
        claims: Claims,
        by: Verifier,
    ) -> Result<(Claimed, Assembled)> {
        let Some(mut multipart) = upload.multipart.clone() else {
            return Ok((claims.check(upload)?, Assembled::Done));
        };
        let mut claimed = claims.clone().check(upload)?;
        self.must_be_theirs(upload).await?;
        let max_size = self.max_size_of(upload).await?;
        let before = upload.declared.clone();
        let mut refused = None;
        for _ in 0..ATTEMPTS {
            let id = &multipart.s3_upload_id;
            let Some(parts) = self.stored_parts(upload, &multipart).await? else {
                claimed = self.see_anew(upload, claims.clone(), claimed).await?;
                match &upload.multipart {
                    // It was begun anew, with checksums, since the row was read.
                    Some(now) if now.s3_upload_id != multipart.s3_upload_id => {
                        multipart = now.clone();
                        continue;
                    }
                    _ => return Ok((claimed, Assembled::Gone)),
                }
            };
            let plan = plan(upload, &multipart)?;
            let size = claimed.declared.size;
            let parts = whole(upload, plan, size, max_size, parts)?;
            claimed.promise_parts(&claims, &multipart, &parts);
            if self.is_blocked(upload).await? {
                return Ok((claimed, Assembled::Blocked));
            }
            self.promise_more(upload, &claimed, by).await?;
            let complete = CompleteMultipart {
                key: &upload.key,
                upload_id: id,
                parts: &parts,
                part_checksums: multipart.part_checksums,
                precondition: self.precondition(&upload.write),
                patience: self.rules.complete_patience,
            };
            let assembled = match self
                .bucket(&upload.bucket)
                .await?
                .objects
                .complete_multipart(&complete)
                .await?
            {
                Completion::Done { .. } => Assembled::Done,
                Completion::NoSuchUpload => Assembled::Gone,
                Completion::PreconditionFailed => Assembled::Blocked,
                Completion::Conflict => Assembled::Contended,
                // A part was sent again since the list was made: the list tells what of it is wrong.
                Completion::Refused { code } => {
                    refused = Some(code);
                    continue;
                }
            };
            let claimed = self.see_anew(upload, claims, claimed).await?;
            return Ok((claimed, assembled));
        }
        let Some(refused) = refused else {
            return Ok((claimed, Assembled::Contended));
        };
        log::warn!(
            "S3 makes no object of the parts of upload {}: {refused}",
            upload.id
        );
        // Other parts may have another sum.
        let mut connection = self.connection().await?;
        uploads::promise_less(&mut connection, upload.id, &before, &claimed.declared).await?;
        Err(no_object(upload, refused).into())
    }

    /// A place may have become another tenant's since the upload was made: nothing is written into
    /// it any more. Signed URLs of parts write no object; that is done here.
    async fn must_be_theirs(&self, upload: &Upload) -> Result<()> {
        let mut connection = self.connection().await?;
        let jail = tenants::jail(&mut connection, &upload.tenant).await?;
        match jail.and_then(|jail| jail.path(&upload.key)) {
            Some(_) => Ok(()),
            None => Err(not_ours(upload).into()),
        }
    }

    /// Whether the parts that the store has are all that was promised. Changes nothing.
    pub(in crate::usecases) async fn is_whole(&self, upload: &Upload) -> Result<bool> {
        let Some(multipart) = &upload.multipart else {
            return Ok(false);
        };
        match self.must_be_theirs(upload).await {
            Ok(()) => {}
            Err(Error::Refused(_)) => return Ok(false),
            Err(fault) => return Err(fault),
        }
        let Some(parts) = self.stored_parts(upload, multipart).await? else {
            return Ok(false);
        };
        let plan = plan(upload, multipart)?;
        let size = upload.declared.size;
        let max_size = self.max_size_of(upload).await?;
        Ok(whole(upload, plan, size, max_size, parts).is_ok())
    }

    /// A store without conditional writes would overwrite what stands there.
    async fn is_blocked(&self, upload: &Upload) -> Result<bool> {
        if self.rules.conditional_writes || upload.write == WriteRule::Overwrite {
            return Ok(false);
        }
        let found = self.stored(upload).await?;
        let other = found.filter(|found| found.upload_id != Some(upload.id));
        Ok(match &upload.write {
            WriteRule::Overwrite => false,
            WriteRule::CreateOnly => other.is_some(),
            WriteRule::Replace { etag } => other.is_none_or(|found| !same_etag(etag, &found.etag)),
        })
    }

    /// Keeps what was promised, and the janitors of other replicas away while S3 is at it: one may
    /// have read the row before, and knows neither.
    async fn promise_more(&self, upload: &Upload, claimed: &Claimed, by: Verifier) -> Result<()> {
        let patience = TimeDelta::from_std(self.rules.complete_patience);
        let made_by = self.clock.now() + patience.unwrap_or_default();
        let promise = Promise {
            name: claimed.name.as_deref(),
            comments: claimed.comments.as_deref(),
            metadata: claimed.metadata.as_ref(),
            declared: &claimed.declared,
            // The janitor itself gives up what cannot be completed, at once.
            made_by: (by != Verifier::Janitor).then_some(made_by),
        };
        let mut connection = self.connection().await?;
        Ok(uploads::promise_more(&mut connection, upload.id, &promise).await?)
    }

    /// Others may have completed it too, or ended it, and promised more than this caller knows.
    async fn see_anew(
        &self,
        upload: &mut Upload,
        claims: Claims,
        claimed: Claimed,
    ) -> Result<Claimed> {
        *upload = self.reload(upload).await?;
        if !Transition::Acknowledge.allows(upload.status) {
            return Ok(claimed);
        }
        Ok(claims.check(upload)?)
    }

    /// Whether the upload was cancelled while its parts were made an object: whoever cancelled it
    /// may have looked before that was there, so it goes now.
    pub(in crate::usecases) async fn clear_if_cancelled(&self, upload: &Upload) {
        if upload.status != Status::Cancelled || upload.multipart.is_none() {
            return;
        }
        if let Err(cause) = self.remove_own_object(upload).await {
            log::warn!(
                "S3 keeps the object of upload {} for now: {cause}",
                upload.id
            );
        }
    }
}

/// After as many tries as it takes to see that nobody sends a part again at this very moment.
fn no_object(upload: &Upload, code: &str) -> Refusal {
    Refusal {
        upload_id: Some(upload.id),
        status: Some(upload.status),
        ..Refusal::new(
            Code::ObjectMismatch,
            format!(
                "S3 makes no object of these parts ({code}), and nothing was made of them: send them anew, then acknowledge again; or begin an upload with parts of another size."
            ),
        )
    }
}

impl Claimed {
    /// What the checksums of the parts, which the store held the bytes to, say of the whole: kept
    /// where the client promises nothing else of it.
    fn promise_parts(&mut self, claims: &Claims, multipart: &Multipart, parts: &[UploadedPart]) {
        let promised = (self.declared.checksum.as_ref())
            .is_some_and(|checksum| claims.checksum.is_some() || !checksum.is_composite());
        if let Some(algorithm) = multipart.part_checksums
            && !promised
        {
            self.declared.checksum = composite(algorithm, parts);
        }
    }
}

/// The checksum of the parts' checksums, as S3 makes it ("Checking object integrity", S3 user
/// guide); `None` of algorithms that S3 has whole objects' checksums of, and where one is missing.
fn composite(algorithm: Algorithm, parts: &[UploadedPart]) -> Option<Checksum> {
    let digest = match algorithm {
        Algorithm::Sha256 => digest::<Sha256>(algorithm, parts)?,
        Algorithm::Sha1 => digest::<Sha1>(algorithm, parts)?,
        Algorithm::Crc32 | Algorithm::Crc32c | Algorithm::Crc64nvme => return None,
    };
    let count = u32::try_from(parts.len()).ok()?;
    Some(Checksum::new(algorithm, &digest).ok()?.of_parts(count))
}

fn digest<D: Digest>(algorithm: Algorithm, parts: &[UploadedPart]) -> Option<String> {
    let mut all = D::new();
    for part in parts {
        let checksum = part.checksum.as_ref()?;
        if checksum.algorithm() != algorithm {
            return None;
        }
        all.update(STANDARD.decode(checksum.value()).ok()?);
    }
    Some(STANDARD.encode(all.finalize()))
}
