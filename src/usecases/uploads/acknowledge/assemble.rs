//! Assemble: the parts of an upload become its object.
//!
//! The store says which parts there are, and only what is whole is completed: no part is missing,
//! none has another size, the sum is the promised one, and the checksum and the ETag of the whole
//! are, as far as the parts say ([`agree`]). What a client promised with its acknowledge is kept in
//! the row before the completion, so that a crash, a lost answer or another prover that is faster
//! holds the object to all of it; what was wrong is not kept.
//!
//! The store's answer may get lost, or two callers may complete at once: "there is no such upload"
//! then means that there is an object. HEAD tells, so that this never says Uploaded by itself. Where
//! parts are missing, or S3 refuses them, the upload stays Pending, as its client can send them
//! anew; where the whole can never be what was promised, or may not stand there, the upload fails.
//!
//! [`agree`]: super::agree

use super::agree::{self, Agreement};
use super::claims::{Claimed, Claims};
use super::obstacle::Obstacle;
use super::refusals::mismatch;
use super::whole::whole;
use crate::domain::checksum::Checksum;
use crate::domain::mismatch::Mismatch;
use crate::domain::refusal::{Code, Refusal};
use crate::domain::upload::Upload;
use crate::objects::multipart::{CompleteMultipart, Completion};
use crate::store::tenants;
use crate::usecases::context::Broker;
use crate::usecases::error::{Error, Result};
use crate::usecases::uploads::parts::not_ours;
use crate::usecases::uploads::parts::sign::plan;
use crate::usecases::uploads::session::precondition;

/// How often the parts are listed anew because somebody sent one again meanwhile.
const ATTEMPTS: u32 = 3;

/// What came of the parts.
#[derive(Debug)]
pub(in crate::usecases) enum Assembled {
    /// They are an object now.
    Done,
    /// The store has no such upload: they are an object, or they are gone.
    Gone,
    /// Something else stands at the key, or not the version that was to be replaced.
    Blocked,
    /// Another write of the key was under way.
    Contended,
    /// Nothing was made of them, and never will be: the upload fails for this reason.
    Wrong(Box<Refusal>),
}

impl Assembled {
    fn wrong(refusal: Refusal) -> Self {
        Self::Wrong(Box::new(refusal))
    }
}

impl Broker {
    /// Completes the upload where it is whole; refuses, and leaves it as it is, where it is not.
    /// The upload is told what was promised meanwhile.
    pub(in crate::usecases) async fn assemble(
        &self,
        upload: &mut Upload,
        claims: Claims,
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
            let parts = match whole(upload, plan, size, max_size, parts) {
                Ok(parts) => parts,
                Err(over) if over.code == Code::SizeLimitExceeded => {
                    return Ok((claimed, Assembled::wrong(over)));
                }
                Err(refusal) => return Err(refusal.into()),
            };
            let signed = self
                .with_signed_checksums(upload, &multipart, &parts)
                .await?;
            claimed.promise_parts(&claims, &multipart, signed.as_ref().unwrap_or(&parts));
            // The store's own word: which of two checksums that were signed for a part it was sent
            // with, only the store knows.
            let Agreement {
                mismatches,
                unknown,
            } = agree::compare(upload, &multipart, &claimed, &parts);
            let parts = signed.unwrap_or(parts);
            if !mismatches.is_empty() {
                // Another caller may have promised otherwise, and be right: that is no failure.
                let claimed = self.see_anew(upload, claims, claimed).await?;
                let refusal = mismatch(upload, mismatches);
                return Ok((claimed, Assembled::wrong(refusal)));
            }
            self.promise_more(upload, &claimed).await?;
            match self.obstacle(upload).await? {
                None => {}
                Some(Obstacle::Made) => {
                    let claimed = self.see_anew(upload, claims, claimed).await?;
                    return Ok((claimed, Assembled::Gone));
                }
                Some(Obstacle::Forbidden(refusal)) => {
                    return Ok((claimed, Assembled::wrong(refusal)));
                }
            }
            let complete = CompleteMultipart {
                key: &upload.key,
                upload_id: id,
                parts: &parts,
                part_checksums: multipart.part_checksums,
                checksum: unknown.as_ref(),
                precondition: precondition(&upload.write),
                timeout: self.rules.complete_timeout,
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
                Completion::WrongChecksum => {
                    self.promise_less(upload, &before, &claimed).await?;
                    Assembled::wrong(other_bytes(upload, unknown.as_ref()))
                }
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
        self.promise_less(upload, &before, &claimed).await?;
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
        let Ok(parts) = whole(upload, plan, size, max_size, parts) else {
            return Ok(false);
        };
        let claims = Claims::default();
        let mut claimed = claims.clone().check(upload)?;
        let signed = self
            .with_signed_checksums(upload, multipart, &parts)
            .await?;
        claimed.promise_parts(&claims, multipart, signed.as_ref().unwrap_or(&parts));
        let agreement = agree::compare(upload, multipart, &claimed, &parts);
        Ok(agreement.mismatches.is_empty())
    }
}

/// S3 computed another checksum of the whole than the promised one.
fn other_bytes(upload: &Upload, promised: Option<&Checksum>) -> Refusal {
    let mismatch_of = |promised: &Checksum| Mismatch {
        field: "checksum",
        expected: promised.to_string(),
        found: "another value, which S3 computed of the parts".to_owned(),
    };
    mismatch(upload, promised.map(mismatch_of).into_iter().collect())
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
